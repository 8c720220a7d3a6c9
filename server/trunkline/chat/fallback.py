"""Which failures make the next model of `fallbacks` worth a try."""

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

_ELSEWHERE_MAY_WORK = frozenset(
    {
        ErrorCode.UPSTREAM_UNREACHABLE,
        ErrorCode.UPSTREAM_TIMEOUT,
        ErrorCode.UPSTREAM_ERROR,
        ErrorCode.UPSTREAM_OVERLOADED,
        ErrorCode.RATE_LIMITED,
        ErrorCode.STREAM_INTERRUPTED,
        ErrorCode.OVERLOADED,
        ErrorCode.MODEL_UNAVAILABLE,
        # Credits and keys belong to one provider. Its error is told by the event, and does not go unseen.
        ErrorCode.QUOTA_EXHAUSTED,
        ErrorCode.AUTH_MISSING,
        ErrorCode.AUTH_REJECTED,
        ErrorCode.AUTH_EXPIRED,
    }
)


def may_work_elsewhere(error: TrunklineError) -> bool:
    """Whether another model may answer what this one did not; a request that is wrong is wrong everywhere."""
    return error.code in _ELSEWHERE_MAY_WORK and error.fields.get("phase") != "total"
