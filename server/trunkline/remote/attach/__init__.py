"""`trunkline attach`: between an editor on standard input and output, and a server that runs already.

    destination    which server, and with which token
    link           one connection to it over a unix socket; `web_link` is the same over WebSocket
    conversation   what must be known to go on over a new link as if nothing had happened
    relay          the loop that moves messages, and dials again when a link breaks
    command        the command line

An editor waits for this program whenever it starts: only the standard library is imported here, and of that
little (no asyncio, no dataclasses, no typing). `websockets` is imported for ws:// alone.
"""
