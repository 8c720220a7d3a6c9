"""The exception-to-error edge: what pygls raises joins what the rooms raise, and leaves as one wire error."""

from pygls.exceptions import JsonRpcException

from trunkline.errors import TrunklineError, describe
from trunkline_protocol.errors import ErrorCode, WireError


def to_wire_error(error: BaseException) -> WireError:
    """The JSON-RPC error for any exception; see `trunkline.errors.describe` for what it may contain."""
    if isinstance(error, JsonRpcException):
        if error.code == ErrorCode.METHOD_NOT_FOUND:
            error = TrunklineError(ErrorCode.METHOD_NOT_FOUND, error.message)
        elif error.code == ErrorCode.INVALID_PARAMS:
            # pygls' text quotes the params, which may hold anything.
            error = TrunklineError(ErrorCode.INVALID_PARAMS, "The params do not fit the method.")
    return describe(error)
