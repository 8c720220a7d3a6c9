"""The engine: a chat request becomes an HTTP request, and the provider's stream becomes chat events.

Knows no JSON-RPC: `chat/stream` and the command line use it alike.
"""
