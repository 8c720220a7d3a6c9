"""How a sign-in fails: the errors 1105, 1106 and 1107, and nothing of what was exchanged."""

from typing import Unpack

from trunkline.errors import ErrorFields, TrunklineError
from trunkline.wire.error_bodies import report_from_body
from trunkline.wire.http import HttpAnswer
from trunkline_protocol.errors import ErrorCode


def failed(provider: str, message: str, **fields: Unpack[ErrorFields]) -> TrunklineError:
    """1105; the hint is to begin again, unless `fields` has a better one."""
    fields["provider_id"] = provider
    fields.setdefault("hint", f"Run `trunkline auth login {provider}` to sign in again.")
    return TrunklineError(ErrorCode.LOGIN_FAILED, message, **fields)


def refused(provider: str, **fields: Unpack[ErrorFields]) -> TrunklineError:
    """1105: somebody said no. OAuth has one answer for the user and for the provider's own rules."""
    return failed(
        provider, f"{provider} refused the sign-in, or it was declined on the provider's page.", **fields
    )


def cancelled(provider_id: str) -> TrunklineError:
    """1106."""
    message = f"The sign-in to {provider_id} was cancelled."
    return TrunklineError(ErrorCode.LOGIN_CANCELLED, message, provider_id=provider_id)


def timed_out(provider_id: str) -> TrunklineError:
    """1107: nobody finished it in time."""
    return TrunklineError(
        ErrorCode.LOGIN_TIMEOUT,
        f"The sign-in to {provider_id} was not finished in time.",
        provider_id=provider_id,
        hint=f"Run `trunkline auth login {provider_id}` to begin again.",
    )


def unexpected(provider_id: str, answer: HttpAnswer) -> TrunklineError:
    """1105: an answer that this flow does not know."""
    message = f"{provider_id} does not answer the sign-in as expected."
    detail = None if answer.status in range(200, 300) else report_from_body(answer.body).message
    return failed(provider_id, message, http_status=answer.status, detail=detail)


def from_transport(provider_id: str, error: TrunklineError, *, hint: str | None = None) -> TrunklineError:
    """1105 in place of an error of `HttpClient` or of a token endpoint, with all that it said."""
    said = (error.message, error.fields.get("detail"))
    fields = ErrorFields(
        detail=" ".join(text for text in said if text),
        retryable=error.fields.get("retryable", False),
        retry_after_ms=error.fields.get("retry_after_ms"),
        http_status=error.fields.get("http_status"),
    )
    better = hint or error.fields.get("hint")
    if better:
        fields["hint"] = better
    return failed(provider_id, f"The sign-in to {provider_id} failed.", **fields)
