"""The one answer to everybody who wants something fetched in offline mode."""

from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode


def offline_error(what: str, provider_id: str | None = None) -> TrunklineError:
    """`what`, as the subject of a sentence, is not done because the user says so."""
    return TrunklineError(
        ErrorCode.UPSTREAM_UNREACHABLE,
        f"Offline mode is on, so {what}.",
        retryable=False,
        provider_id=provider_id,
        hint="Leave offline mode: unset TRUNKLINE_OFFLINE, and take `offline` out of the configuration and "
        "`--offline` off the command line.",
    )
