"""The Trunkline wire contract: every message that travels between an editor and the server.

Depends on the standard library and pydantic only, so that a client can use it without the server.
Nothing is imported here: take the module you need (`trunkline_protocol.chat`, `.errors`, ...).

Layout, from the bottom up:

    base            the model class of every message, and shared field types
    codes           error codes
    errors          the error object, with the `data` that always comes with it
    status          server/*
    providers       provider/*
    models          model/list, model/get
    auth            auth/*
    messages        messages of a conversation and their parts
    chat            chat/stream: request and result
    tokens          model/countTokens
    chat_events     what happens while a model answers
    tools           what the server asks of a client
    session_events  what happens in a session
    sessions        session/*: begin, find, change, prompt
    session_attach  session/*: follow one from elsewhere
    commands        workspace/executeCommand
    capabilities    what client and server announce at initialize
    methods         the method table: name, direction, params model, result model
    generate        writes what is made of the models: the schema, and
    reference       the reference page
    typescript      the TypeScript types
    docstrings      reads what stands under fields, for these
    schema          generated JSON Schema and method table, checked in
"""

PROTOCOL_VERSION = "1.0"
"""Version of this contract; `capabilities.experimental.trunkline` negotiates it."""
