"""A server on pygls as shipped that asks through a library: `openai` or `litellm`, and a port."""

# It runs where its library is installed, which is not where types are checked.
# pyright: basic, reportMissingImports=false

import sys
from typing import Any

from pygls.lsp.server import LanguageServer

KIND, PORT = sys.argv[1:]
BASE_URL = f"http://127.0.0.1:{PORT}/v1"

server = LanguageServer("library", "1.0")

if KIND == "openai":
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=BASE_URL, api_key="k")

    async def ask(model: str, messages: Any) -> Any:
        return await client.chat.completions.create(model=model, messages=messages, stream=True)
else:
    import litellm

    litellm.suppress_debug_info = True

    async def ask(model: str, messages: Any) -> Any:
        return await litellm.acompletion(
            model=f"openai/{model}", messages=messages, stream=True, api_base=BASE_URL, api_key="k"
        )


@server.feature("chat/stream")
async def chat(params: Any) -> dict[str, Any]:
    """Every delta is a notification under a name of its own: pygls is slower with LSP's classes."""
    messages = [{"role": "user", "content": "Hello"}]
    async for chunk in await ask(params.model, messages):
        text = chunk.choices[0].delta.content if chunk.choices else None
        if text:
            value = {"type": "text.delta", "text": text}
            server.protocol.notify("hello/delta", {"token": "chat", "value": value})
    return {}


server.start_io()
