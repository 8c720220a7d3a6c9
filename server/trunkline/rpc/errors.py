"""The exception-to-error edge: what pygls raises joins what the rooms raise, and leaves as one wire error."""

from pygls.exceptions import JsonRpcException

from trunkline.errors import TrunklineError, describe
from trunkline_protocol.errors import ErrorCode, WireError


def to_wire_error(error: BaseException) -> WireError:
    """The JSON-RPC error for any exception; see `trunkline.errors.describe` for what it may contain."""
    if isinstance(error, JsonRpcException) and error.code in _PASSED_ON:
        error = TrunklineError(ErrorCode(error.code), error.message)
    return describe(error)


_PASSED_ON = frozenset({ErrorCode.METHOD_NOT_FOUND, ErrorCode.INVALID_REQUEST, ErrorCode.REQUEST_CANCELLED})
"""Codes whose pygls message is a fixed text with at most a method's name in it; the rest may hold values."""
