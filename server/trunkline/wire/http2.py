"""Giving up one exchange of an HTTP/2 connection that others go on using.

httpcore forgets the stream and tells the server nothing, so that a model would go on generating for
nobody. What it keeps of a connection is private; a test with a real server shows that it is still there.
"""

from collections.abc import Iterable
from typing import Any


class Http2Exchange:
    """A request that has a stream of its own on a connection."""

    def __init__(self, pools: Iterable[Any], request: object, stream_id: int) -> None:
        """`request` is httpcore's, and is being sent over a connection of one of its `pools`."""
        every = (asked for pool in pools for asked in pool._requests)  # noqa: SLF001
        pooled = next(asked.connection for asked in every if asked.request is request)
        self._connection = pooled._connection  # noqa: SLF001
        self._stream_id = stream_id

    def give_up(self) -> None:
        """Tell the server that nobody reads the rest of the answer."""
        from h2.errors import ErrorCodes
        from h2.exceptions import ProtocolError

        state = self._connection._h2_state  # noqa: SLF001
        try:
            state.reset_stream(self._stream_id, ErrorCodes.CANCEL)
        except ProtocolError:  # it has ended, or the connection has
            return
        self._connection._network_stream.send(state.data_to_send())  # noqa: SLF001
