"""The table of errors: the taxonomy of `trunkline_protocol.codes`, with what each means and what helps."""

from trunkline_protocol.codes import RETRYABLE, ErrorCode
from trunkline_protocol.docstrings import docs_of_names

_INTRODUCTION = """\
# Errors

Every error has a `code`, a `message` for people and `data` ([ErrorData](protocol.md#errordata)). Switch on
`data.kind`; show `message`, then `data.detail` (the cause, often the provider's own words) and `data.hint`
(what the person can do now, with names and commands filled in). `data.retryable` says whether the same
request may succeed later; the table says what is usual for a code. `data.retryAfterMs` is a wait that the
provider asked for.

On the command line the first line is `error: ` and the message, then detail, suggestions and hint. A key that
is missing or not accepted (1101 to 1104) is exit code 3, everything else 1.
"""

REMEDIES: dict[ErrorCode, str] = {
    ErrorCode.PARSE_ERROR: "A defect of the client.",
    ErrorCode.INVALID_REQUEST: "A defect of the client.",
    ErrorCode.METHOD_NOT_FOUND: "Compare versions: `capabilities.experimental`.",
    ErrorCode.INVALID_PARAMS: "Correct that field.",
    ErrorCode.INTERNAL_ERROR: "The log has it under `correlationId`; report that.",
    ErrorCode.SERVER_NOT_INITIALIZED: "Send `initialize` first.",
    ErrorCode.REQUEST_CANCELLED: "Nothing to do.",
    ErrorCode.UNSUPPORTED_VERSION: "Update the older one; `supportedVersions` lists the server's.",
    ErrorCode.CAPABILITY_MISSING: "Announce it in `initialize`.",
    ErrorCode.AUTH_MISSING: "`trunkline auth login`, or the variable that the hint names.",
    ErrorCode.AUTH_REJECTED: "Store another one.",
    ErrorCode.AUTH_FORBIDDEN: "Look at the key's permissions at the provider, or use another key.",
    ErrorCode.AUTH_EXPIRED: "Sign in again.",
    ErrorCode.LOGIN_FAILED: "Try again; `detail` says why.",
    ErrorCode.LOGIN_CANCELLED: "Nothing to do.",
    ErrorCode.LOGIN_TIMEOUT: "Begin again.",
    ErrorCode.QUOTA_EXHAUSTED: "Add credits.",
    ErrorCode.KEY_STORE_LOCKED: "Try again.",
    ErrorCode.KEY_STORE_UNREADABLE: "Correct or move the file that the message names; it is not overwritten.",
    ErrorCode.PROVIDER_UNKNOWN: "`suggestions` has names that are close.",
    ErrorCode.PROVIDER_DISABLED: "Change the setting that the message names.",
    ErrorCode.PROVIDER_MISCONFIGURED: "Correct that section.",
    ErrorCode.CONFIGURATION_INVALID: "Correct the line that the message names; it is read again at once.",
    ErrorCode.MODEL_UNKNOWN: "`suggestions` has names that are close.",
    ErrorCode.MODEL_UNAVAILABLE: "Choose another model, or the setting that the message names.",
    ErrorCode.MODEL_DEPRECATED: "Choose another model.",
    ErrorCode.CONTEXT_TOO_LONG: "Shorten it, or choose a model with more room.",
    ErrorCode.UNSUPPORTED_INPUT: "Leave it out.",
    ErrorCode.UNSUPPORTED_OPTION: "Leave it out.",
    ErrorCode.UPSTREAM_UNREACHABLE: "Look at network, proxy, certificate, base URL; `trunkline doctor` does.",
    ErrorCode.UPSTREAM_TIMEOUT: "Try again later.",
    ErrorCode.UPSTREAM_ERROR: "Try again later, or another model.",
    ErrorCode.RATE_LIMITED: "Wait for `retryAfterMs`.",
    ErrorCode.UPSTREAM_OVERLOADED: "Try again later, or another model.",
    ErrorCode.STREAM_INTERRUPTED: "Ask again.",
    ErrorCode.STREAM_MALFORMED: "Report it with the log.",
    ErrorCode.CONTENT_FILTERED: "Ask in another way.",
    ErrorCode.REFUSED: "Ask in another way.",
    ErrorCode.UPSTREAM_BAD_REQUEST: "Change what it names.",
    ErrorCode.SESSION_UNKNOWN: "`session/list` has those there are.",
    ErrorCode.NOT_PERMITTED: "Use a token of a higher scope.",
    ErrorCode.CONFLICT: "Read it again and repeat.",
    ErrorCode.NO_ACTIVE_TURN: "Nothing to do.",
    ErrorCode.TURN_UNKNOWN: "Read the session again.",
    ErrorCode.CURSOR_EXPIRED: "Attach without a cursor.",
    ErrorCode.EPOCH_CHANGED: "Attach without a cursor.",
    ErrorCode.ATTACH_UNAUTHORIZED: "Take the token from the file that `serve` names.",
    ErrorCode.TOO_SLOW: "Attach again with the cursor.",
    ErrorCode.HEARTBEAT_LOST: "Attach again with the cursor.",
    ErrorCode.TOOL_UNKNOWN: "Nothing to do: the model is told.",
    ErrorCode.TOOL_TIMEOUT: "Try again; look at what the tool does.",
    ErrorCode.TOOL_FAILED: "What the message names.",
    ErrorCode.TOOL_DENIED: "Change the rule, if it was one.",
    ErrorCode.TOOL_ANSWER_STALE: "Nothing to do.",
    ErrorCode.OVERLOADED: "Wait until one is done.",
    ErrorCode.MESSAGE_TOO_LARGE: "Send less at a time.",
    ErrorCode.TOO_DEEP: "A defect of the client.",
    ErrorCode.STORAGE_ERROR: "Look at the file it names.",
    ErrorCode.STORAGE_FULL: "Free some; what was written is safe.",
}
"""What helps. What happened is said under each code, in `trunkline_protocol.codes`."""


def page() -> str:
    """The page, in Markdown.

    Raises:
        KeyError: nobody has said what a code means, or what helps.
    """
    lines = ["| code | kind | again? | what happened | what helps |", "| --- | --- | --- | --- | --- |"]
    meanings = docs_of_names(ErrorCode)
    for code in ErrorCode:
        again = "yes" if code in RETRYABLE else ""
        lines.append(f"| {int(code)} | `{code.kind}` | {again} | {meanings[code.name]} | {REMEDIES[code]} |")
    return _INTRODUCTION + "\n" + "\n".join(lines) + "\n"
