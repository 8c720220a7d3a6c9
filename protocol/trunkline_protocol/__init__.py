"""The Trunkline wire contract: every message that travels between an editor and the server.

Depends on the standard library and pydantic only, so that a client can use it without the server.
Nothing is imported here: take the module you need (`trunkline_protocol.chat`, `.errors`, ...).

Layout, from the bottom up:

    base          the model class of every message, and shared field types
    codes         error codes
    errors        the error object, with the `data` that always comes with it
    providers     provider/list
    models        model/list
    auth          auth/*
    chat          messages, events and results of chat/stream
    capabilities  what client and server announce at initialize
    methods       the method table: name, direction, params model, result model
    schema        generated JSON Schema and method table, checked in
"""

PROTOCOL_VERSION = "1.0"
"""Version of this contract; `capabilities.experimental.trunkline` negotiates it."""
