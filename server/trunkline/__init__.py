"""Trunkline: a language server whose language is models.

Rooms, from the bottom up; each imports only from those above it in this list:

    secrets, errors   what every room needs: hiding keys, and typed errors
    config            the user's settings
    wire              HTTP, SSE and one adapter per wire format
    providers         the registry: providers as rows of data
    auth              the key store and the one credential resolver
    catalog           which models exist, offline and live
    chat              the engine: request -> wire -> events
    tools             what models may do: workspace tools, MCP servers, permission
    sessions          conversations that the server keeps
    app               the composition root
    rpc, remote, cli, client, demo   the ways in; they know each other and everything below
"""

__version__ = "0.1.0"
