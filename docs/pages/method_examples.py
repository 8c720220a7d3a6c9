"""One example of every request: shown in the documentation, and made by a test (tests/docs/test_examples.py).

The examples are one conversation, in this order, with a server whose FastRouter is simulated. In them

    "…"       stands for something that is left out, or differs from time to time
    "<name>"  is what an answer gave and a later request uses

and a result may have more members than are shown.
"""

import json
from dataclasses import dataclass, field
from typing import Any

KEY = "sk-v1-your-key"
MODEL = "fastrouter/openai/gpt-5-mini"

_INTRODUCTION = """\
# Examples of every method

One conversation with a server, in this order; each of these requests is made by a test. `"…"` stands for what
is left out or differs from time to time, `"<name>"` for something that an answer gave. Results may have more
members than are shown. The [protocol reference](protocol.md) describes each of them.

Requests travel as JSON-RPC with LSP's framing:

```
Content-Length: 67

{"jsonrpc": "2.0", "id": 1, "method": "server/status", "params": {}}
```
"""

_HELLO = [{"role": "user", "content": "Why is the sky blue?"}]


@dataclass(frozen=True)
class Example:
    """One request and what is answered."""

    method: str
    says: str
    """What it shows."""
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    events: tuple[dict[str, Any], ...] = ()
    """Some of the values of `$/progress` that come before the answer, in order."""


_KEY_INFO = {
    "providerId": "fastrouter",
    "keyId": "default",
    "kind": "apiKey",
    "source": "store",
    "origin": "…",
    "last4": "-key",
    "active": True,
}

EXAMPLES = (
    Example("server/status", "Nobody is connected yet.", {}, {"busy": False, "kind": "info", "version": "…"}),
    Example(
        "provider/list",
        "A provider without a key says how to get one.",
        {"includeDisabled": True},
        {
            "providers": [
                {
                    "providerId": "fastrouter",
                    "name": "FastRouter",
                    "state": "notConnected",
                    "stateReason": "…",
                    "auth": {"needed": True, "envVars": ["FASTROUTER_API_KEY"], "keyState": "missing"},
                },
            ],
            "etag": "…",
        },
    ),
    Example(
        "auth/set",
        "Store a key, and ask the provider whether it is good. The key never comes back.",
        {"providerId": "fastrouter", "secret": KEY, "verify": True},
        {"key": {**_KEY_INFO, "state": "ok"}, "verification": {"state": "ok"}},
    ),
    Example(
        "auth/list",
        "Every key that could be used, from every source.",
        {"providerId": "fastrouter"},
        {"keys": [{**_KEY_INFO, "state": "ok"}]},
    ),
    Example(
        "auth/select",
        "Use this stored key from now on.",
        {"providerId": "fastrouter", "keyId": "default"},
        {"key": {**_KEY_INFO}},
    ),
    Example("auth/verify", "Ask again.", {"providerId": "fastrouter"}, {"state": "ok"}),
    Example(
        "provider/configure",
        "An endpoint of one's own.",
        {
            "providerId": "mine",
            "name": "My server",
            "baseUrl": "https://llm.example.com/v1",
            "apiType": "openai-chat",
        },
        {
            "provider": {"providerId": "mine", "name": "My server", "enabled": True, "source": "config"},
            "etag": "…",
        },
    ),
    Example(
        "provider/test",
        "Whether it answers, and how fast. What is wrong would be in `error`.",
        {"providerId": "fastrouter"},
        {"ok": True, "latencyMs": "…"},
    ),
    Example(
        "model/list",
        "One page of models that call tools; the next one begins at `nextCursor`.",
        {"providerIds": ["fastrouter"], "capabilities": ["tools"], "limit": 1},
        {
            "models": [{"providerId": "fastrouter", "capabilities": {"tools": True}, "source": "live"}],
            "failures": [],
            "nextCursor": "…",
        },
    ),
    Example(
        "model/get",
        "One model. Prices are per million tokens; one that nobody knows is absent.",
        {"model": MODEL},
        {
            "model": {
                "model": MODEL,
                "contextWindow": 400000,
                "inputModalities": ["text", "image"],
                "pricing": {"input": 0.2, "output": 1.6, "currency": "USD"},
                "status": "active",
            }
        },
    ),
    Example(
        "model/countTokens",
        "How long a conversation is for a model; `exact` where the provider counts.",
        {"model": MODEL, "messages": _HELLO},
        {"tokens": "…", "exact": False},
    ),
    Example(
        "chat/stream",
        "A conversation without a memory: events come as `$/progress`, the answer ends it.",
        {"model": MODEL, "messages": _HELLO, "partialResultToken": "chat-1"},
        {
            "message": None,
            "finishReason": "stop",
            "usage": {"inputTokens": "…", "outputTokens": "…"},
            "cost": {"amount": "…", "currency": "USD", "source": "provider", "estimated": False},
            "model": MODEL,
        },
        (
            {"type": "message.started", "providerId": "fastrouter", "model": MODEL},
            {"type": "text.delta", "text": "…"},
            {"type": "message.completed", "message": {"role": "assistant"}, "finishReason": "stop"},
        ),
    ),
    Example(
        "auth/login",
        "Sign in without copying a key: the person opens `url` and is shown a code there.",
        {"providerId": "openrouter", "method": "device"},
        {"loginId": "<loginId>", "url": "…", "needsCode": True},
    ),
    Example("auth/submitCode", "The code that they were shown.", {"loginId": "<loginId>", "code": "a1b2c3"}),
    Example("auth/cancelLogin", "They changed their mind.", {"loginId": "<loginId>"}),
    Example(
        "session/create",
        "A conversation that the server keeps.",
        {"model": MODEL},
        {
            "session": {"sessionId": "<sessionId>", "state": "idle", "turnCount": 0},
            "epoch": "…",
            "headSeq": "…",
        },
    ),
    Example(
        "session/attach",
        "Follow it: events come as `session/event` from now on. Who made it owns it.",
        {"sessionId": "<sessionId>", "role": "controller"},
        {"role": "owner", "base": "snapshot", "snapshot": {"turns": []}, "participants": "…"},
    ),
    Example(
        "session/prompt",
        "Say something. The same `requestKey` again is the same turn, not another one.",
        {
            "sessionId": "<sessionId>",
            "requestKey": "8e2f7b1c",
            "input": [{"type": "text", "text": "Why is the sky blue?"}],
        },
        {"turnId": "<turnId>", "state": "running"},
    ),
    Example(
        "session/steer",
        "Say more while the turn runs.",
        {
            "sessionId": "<sessionId>",
            "expectedTurnId": "<turnId>",
            "input": [{"type": "text", "text": "In one sentence."}],
        },
        {"turnId": "<turnId>", "seq": "…"},
    ),
    Example("session/interrupt", "Enough of it; the text so far is kept.", {"sessionId": "<sessionId>"}),
    Example(
        "session/events",
        "What happened, a page at a time.",
        {"sessionId": "<sessionId>", "afterSeq": 0, "limit": 2},
        {"events": [{"type": "session.created", "seq": 1}], "more": True},
    ),
    Example("session/read", "The conversation itself.", {"sessionId": "<sessionId>"}, {"turns": "…"}),
    Example(
        "session/update",
        "Another title.",
        {"sessionId": "<sessionId>", "title": "The sky"},
        {"session": {"title": "The sky"}},
    ),
    Example(
        "session/list",
        "Every conversation, the newest first.",
        {},
        {"sessions": [{"sessionId": "<sessionId>", "title": "The sky"}]},
    ),
    Example(
        "session/fork", "Go on from here in another one.", {"sessionId": "<sessionId>"}, {"session": "…"}
    ),
    Example(
        "session/share",
        "Let another program in; the token is in a file of this user's alone.",
        {"sessionId": "<sessionId>", "scope": "observe"},
        {"url": "…", "tokenFile": "…"},
    ),
    Example("session/detach", "Stop following.", {"sessionId": "<sessionId>"}),
    Example("session/delete", "Nothing of it is left on the disk.", {"sessionId": "<sessionId>"}),
    Example("auth/remove", "Forget the key.", {"providerId": "fastrouter", "keyId": "default"}),
)


def page() -> str:
    """The page, in Markdown."""
    sections = [_INTRODUCTION]
    for example in EXAMPLES:
        anchor = example.method.lower().replace("/", "")
        sections.append(f"## {example.method}\n\n{example.says} [Reference](protocol.md#{anchor}).\n")
        sections.append(_block({"method": example.method, "params": example.params}))
        sections += [
            _block({"method": "$/progress", "params": _progress(example, one)}) for one in example.events
        ]
        sections.append(_block({"result": example.result}))
    return "\n".join(sections)


def _progress(example: Example, event: dict[str, Any]) -> dict[str, Any]:
    return {"token": example.params["partialResultToken"], "value": event}


def _block(value: dict[str, Any]) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```\n"
