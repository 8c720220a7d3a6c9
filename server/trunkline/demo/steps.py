"""What the demo does, one function per step, in order. Every number shown was measured or answered."""

import os
import time

from trunkline.cli.terminal import dollars
from trunkline.client import Client, RequestError
from trunkline.demo.conversation import READ_FILE, run_tools, spent, stream
from trunkline.demo.http_server import RecordedRequest
from trunkline.demo.price_list import MODELS
from trunkline.demo.problem import DemoError
from trunkline.demo.screen import Screen
from trunkline.demo.temporary_user import TemporaryUser
from trunkline.demo.upstream import DemoUpstream
from trunkline_protocol.capabilities import ServerTrunkline
from trunkline_protocol.chat import ChatStreamParams, ChatStreamResult
from trunkline_protocol.errors import WireError
from trunkline_protocol.messages import Message, TextPart
from trunkline_protocol.methods import AUTH_SET, CHAT_STREAM, MODEL_LIST, PROVIDER_LIST
from trunkline_protocol.models import ModelInfo, ModelListParams
from trunkline_protocol.providers import ProviderInfo, ProviderListParams

_PROVIDER = "fastrouter"
_CHAT_MODEL = f"{_PROVIDER}/openai/gpt-5-mini"
_TOOL_MODEL = f"{_PROVIDER}/anthropic/claude-sonnet-4"

_NOTES = """\
# Where light comes from

A lamp at the end of a long line.

## Today

- look whether it burns
- write down when
"""


class Demo:
    """One run of the demo: who takes part, and what the provider had seen when somebody last looked."""

    def __init__(
        self, screen: Screen, client: Client, upstream: DemoUpstream, user: TemporaryUser, key: str
    ) -> None:
        self._screen = screen
        self._client = client
        self._upstream = upstream
        self._user = user
        self._key = key
        self._looked_at = 0

    async def run(self, started: float) -> None:
        """All steps. `started` is the `time.perf_counter()` from just before the server was started.

        Raises:
            DemoError: an answer is not what it should be.
            trunkline.client.RequestError: a request was refused that should not be.
            trunkline.client.ConnectionLostError: the server went away.
        """
        await self._handshake(started)
        await self._providers()
        await self._chat_without_key()
        await self._store_key()
        await self._models()
        await self._chat()
        await self._tool_round_trip()
        await self._goodbye()

    async def _handshake(self, started: float) -> None:
        self._screen.step(1, "An editor starts the server and greets it", "initialize")
        result = await self._client.initialize()
        took = time.perf_counter() - started
        info = result["serverInfo"]
        ours = ServerTrunkline.model_validate(result["capabilities"]["experimental"]["trunkline"])
        self._screen.line("server", f"{info['name']} {info['version']}")
        self._screen.line("protocol", f"{ours.version}: {', '.join(ours.methods)}")
        self._screen.line("time", f"{_ms(took)} from starting the process to its answer")

    async def _providers(self) -> None:
        self._screen.step(2, "Which providers are there?", PROVIDER_LIST.name)
        result = await self._client.call(PROVIDER_LIST, ProviderListParams())
        popular = [provider for provider in result.providers if provider.popular is not None]
        self._screen.table(
            [("provider", "left"), ("state", "left"), ("models", "right"), ("key variable", "left")],
            [_provider_row(provider) for provider in popular],
        )
        models = sum(provider.model_count for provider in result.providers)
        others = len(result.providers) - len(popular)
        self._screen.line(
            "others",
            f"{others} more, so {len(result.providers)} in all with {models:,} models, known offline",
        )
        self._show_traffic()

    async def _chat_without_key(self) -> None:
        self._screen.step(3, "Ask before there is a key", CHAT_STREAM.name)
        params = ChatStreamParams(model=_CHAT_MODEL, messages=(_user_says("Hello?"),))
        try:
            await self._client.call(CHAT_STREAM, params)
        except RequestError as refused:
            self._show_error(refused.error)
        else:
            raise DemoError("A chat without a key was answered, but there should be none.")
        self._show_traffic()

    async def _store_key(self) -> None:
        self._screen.step(4, "Store a key", AUTH_SET.name)
        # Not as a model: that would put a mask on the wire instead of the key.
        answer = await self._client.request(AUTH_SET.name, {"providerId": _PROVIDER, "secret": self._key})
        info = AUTH_SET.result.model_validate(answer).key
        self._screen.line("key", f"…{info.last4}, fingerprint {info.fingerprint}, source {info.source}")
        self._screen.line("bound to", f"{info.origin}: it is sent nowhere else")
        file = self._user.key_file()
        if file is None:
            raise DemoError("The key was not stored in a file of the temporary home.")
        mode = "" if os.name == "nt" else f", mode {file.stat().st_mode & 0o777:04o}"
        self._screen.line("file", f"{file.relative_to(self._user.home)}{mode}")

    async def _models(self) -> None:
        self._screen.step(5, "Which models does FastRouter have?", MODEL_LIST.name)
        asked = time.perf_counter()
        result = await self._client.call(MODEL_LIST, ModelListParams(provider_ids=(_PROVIDER,)))
        took = time.perf_counter() - asked
        if result.failures or not all(model.source == "live" for model in result.models):
            raise DemoError("The list of models is not the provider's own.")
        self._screen.table(
            [
                (f"model ({_PROVIDER}/…)", "left"),
                ("context", "right"),
                ("in $/M", "right"),
                ("out $/M", "right"),
                ("can", "left"),
            ],
            [_model_row(model) for model in result.models],
        )
        self._screen.line("list", f"live, fetched in {_ms(took)}; prices in USD per million tokens")
        off = sum(not model.is_active for model in MODELS)
        mute = sum("text" not in model.outputs for model in MODELS)
        hidden = f"{len(MODELS) - len(result.models)} of {len(MODELS)}"
        self._screen.line("hidden", f"{hidden}: {off} switched off, {mute} that makes no text")
        self._show_traffic()

    async def _chat(self) -> None:
        self._screen.step(6, "Ask, and read while it answers", CHAT_STREAM.name)
        question = "Say hello, and tell me in two sentences who you are."
        self._screen.line("you", question)
        params = ChatStreamParams(model=_CHAT_MODEL, messages=(_user_says(question),))
        await self._leg("spent", params)

    async def _tool_round_trip(self) -> None:
        self._screen.step(7, "Let the model read a file", f"{CHAT_STREAM.name}, two legs")
        (self._user.workspace / "notes.md").write_text(_NOTES, encoding="utf-8")
        question = "What is the first heading in notes.md, and how many lines does it have?"
        self._screen.line("you", question)
        asked = ChatStreamParams(model=_TOOL_MODEL, messages=(_user_says(question),), tools=(READ_FILE,))
        first, message = await self._leg("1st leg", asked)
        done = run_tools(self._screen, message, self._user.workspace)
        answered = asked.model_copy(update={"messages": (*asked.messages, message, done)})
        second, _ = await self._leg("2nd leg", answered)
        if first.cost and second.cost:
            total = first.cost.amount + second.cost.amount
            self._screen.line("both legs", dollars(total, first.cost.currency))

    async def _leg(self, label: str, params: ChatStreamParams) -> tuple[ChatStreamResult, Message]:
        """One request to the model, as it streams, and what it cost."""
        result, message = await stream(self._client, self._screen, params)
        self._screen.line(label, spent(result))
        self._show_traffic()
        return result, message

    async def _goodbye(self) -> None:
        self._screen.step(8, "Say goodbye", "shutdown, exit")
        await self._client.shutdown()
        process = self._client.process
        code = None if process is None else await process.wait()
        if code != 0:
            raise DemoError(f"The server ended with exit code {code} instead of 0.")
        self._screen.line("exit code", str(code))

    def _show_error(self, error: WireError) -> None:
        self._screen.line("error", f"{error.message} ({error.code} {error.data.kind})", "red")
        if error.data.hint:
            self._screen.line("hint", error.data.hint)

    def _show_traffic(self) -> None:
        """What has reached the provider since the last time."""
        new = self._upstream.requests[self._looked_at :]
        self._looked_at = len(self._upstream.requests)
        if not new:
            self._screen.line("provider", "saw nothing", "dim")
        for request in new:
            self._screen.line("provider", f"saw {self._described(request)}", "dim")

    def _described(self, request: RecordedRequest) -> str:
        sent = request.headers.get("authorization")
        key = "no key" if sent is None else "the key" if sent == f"Bearer {self._key}" else "a wrong key"
        words = [f"{request.method} {request.path} with {key}"]
        if request.body:
            messages = request.body["messages"]
            words.append(f"{len(messages)} message{'s' if len(messages) > 1 else ''}")
            if any("reasoning_details" in message for message in messages):
                words.append("its reasoning unchanged")  # it refuses anything else
        return ", ".join(words)


def _user_says(text: str) -> Message:
    return Message(role="user", content=(TextPart(text=text),))


def _provider_row(provider: ProviderInfo) -> tuple[str, str, str, str]:
    auth = provider.auth
    return (
        provider.name,
        provider.state,
        f"{provider.model_count:,}",
        auth.env_vars[0] if auth.env_vars else "",
    )


def _model_row(model: ModelInfo) -> tuple[str, str, str, str, str]:
    abilities = (("tools", model.capabilities.tools), ("reasoning", model.capabilities.reasoning))
    return (
        model.model.partition("/")[2],
        f"{model.context_window:,}",
        dollars(model.pricing.input),
        dollars(model.pricing.output),
        " ".join(name for name, able in abilities if able),
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
