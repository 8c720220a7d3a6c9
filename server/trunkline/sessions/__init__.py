"""Conversations that the server keeps: their log, who runs their turns, who follows them.

    log            what a session log can do; `sqlite/` is the first one
    fanout         telling those who follow a session that there is more; in this process for now
    hub            finds, makes and loads sessions; every method of `session/*` is one of its
    live_session   a session that this process owns: its turns, one after the other
    turn           one turn: model, tools, model again, until the model has nothing more to ask for
    context        what of a conversation a model is given, and how it is shortened

Knows no JSON-RPC. A connection is a view: what it does is done by the hub, and what it is told it reads
itself, at its own pace, from fan-out and log.
"""
