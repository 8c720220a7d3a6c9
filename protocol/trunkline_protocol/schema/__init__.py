"""What the handshake says of the contract. Generated: do not edit, run `make schema`."""

SCHEMA_HASH = "8790b3c61d4ff607"
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
    "auth/select",
    "auth/verify",
    "auth/login",
    "auth/submitCode",
    "auth/cancelLogin",
    "chat/stream",
)
"""Every request that a client can send, besides those of LSP."""
