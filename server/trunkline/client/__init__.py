"""A typed client for Trunkline: with a server process that it starts, or attached to one that runs.

    channel      how messages travel
    connection   `Client`: requests, notifications, chat, and what the server asks of a client
    session      `Session`: one conversation that the server keeps, and its events
    opening      `spawn` starts a server, `attach` connects to one

The demo, the terminal and the tests use it; scripts may. It knows the protocol, not the server.
"""

from trunkline.client.channel import Channel, StreamChannel
from trunkline.client.connection import Client, ConnectionLostError, RequestError
from trunkline.client.opening import attach, spawn
from trunkline.client.session import Session

__all__ = [
    "Channel",
    "Client",
    "ConnectionLostError",
    "RequestError",
    "Session",
    "StreamChannel",
    "attach",
    "spawn",
]
