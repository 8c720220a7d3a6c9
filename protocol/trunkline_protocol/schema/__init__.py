"""What the handshake says of the contract. Generated: do not edit, run `make schema`."""

SCHEMA_HASH = "0f9a2ba98d292862"
"""Equal hashes mean equal contracts."""

METHODS = (
    "server/status",
    "provider/list",
    "provider/configure",
    "provider/test",
    "model/list",
    "model/get",
    "model/countTokens",
    "auth/set",
    "auth/list",
    "auth/remove",
    "auth/select",
    "auth/verify",
    "auth/login",
    "auth/submitCode",
    "auth/cancelLogin",
    "chat/stream",
    "session/create",
    "session/list",
    "session/read",
    "session/update",
    "session/fork",
    "session/delete",
    "session/prompt",
    "session/steer",
    "session/interrupt",
    "session/attach",
    "session/detach",
    "session/events",
    "session/share",
)
"""Every request that a client can send, besides those of LSP."""

COMMANDS = (
    "trunkline.chat",
    "trunkline.login",
    "trunkline.models",
)
"""What `workspace/executeCommand` does."""
