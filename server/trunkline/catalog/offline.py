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


def list_not_fetched(provider_id: str) -> TrunklineError:
    """The model list of a provider is not asked for."""
    return offline_error(f"the model list of {provider_id} was not fetched", provider_id)
