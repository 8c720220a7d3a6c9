"""What the handshake says of the contract. Generated: do not edit, run `make schema`."""

SCHEMA_HASH = "df92e3b5c748b959"
"""Equal hashes mean equal contracts."""

METHODS = (
    "provider/list",
    "model/list",
    "auth/set",
    "auth/list",
    "auth/remove",
    "chat/stream",
)
"""Every request that a client can send, besides those of LSP."""
