"""What the handshake says of the contract. Generated: do not edit, run `make schema`."""

SCHEMA_HASH = "22fd589af4446d77"
"""Equal hashes mean equal contracts."""

METHODS = (
    "provider/list",
    "provider/configure",
    "provider/test",
    "model/list",
    "model/get",
    "model/countTokens",
    "auth/set",
    "auth/list",
    "auth/remove",
    "chat/stream",
)
"""Every request that a client can send, besides those of LSP."""
