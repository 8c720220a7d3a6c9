"""The table of errors: the taxonomy of `trunkline_protocol.codes`, with what each means and what helps."""

from trunkline_protocol.codes import RETRYABLE, ErrorCode

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

MEANINGS: dict[ErrorCode, tuple[str, str]] = {
    ErrorCode.PARSE_ERROR: ("What came is no JSON.", "A defect of the client."),
    ErrorCode.INVALID_REQUEST: ("It is JSON, but no JSON-RPC message.", "A defect of the client."),
    ErrorCode.METHOD_NOT_FOUND: (
        "There is no such method.",
        "Compare versions: `capabilities.experimental`.",
    ),
    ErrorCode.INVALID_PARAMS: (
        "A field of the params is wrong; the message names it.",
        "Correct that field.",
    ),
    ErrorCode.INTERNAL_ERROR: (
        "A defect of Trunkline.",
        "The log has it under `correlationId`; report that.",
    ),
    ErrorCode.SERVER_NOT_INITIALIZED: ("Something came before `initialize`.", "Send `initialize` first."),
    ErrorCode.REQUEST_CANCELLED: ("The client cancelled it.", "Nothing to do."),
    ErrorCode.UNSUPPORTED_VERSION: (
        "Client and server have no protocol version in common.",
        "Update the older one; `supportedVersions` lists the server's.",
    ),
    ErrorCode.CAPABILITY_MISSING: (
        "The method needs something that the client did not announce.",
        "Announce it in `initialize`.",
    ),
    ErrorCode.AUTH_MISSING: (
        "There is no key.",
        "`trunkline auth login`, or the variable that the hint names.",
    ),
    ErrorCode.AUTH_REJECTED: ("The provider does not accept the key.", "Store another one."),
    ErrorCode.AUTH_FORBIDDEN: (
        "The key is good, but not for this.",
        "Look at the key's permissions at the provider, or use another key.",
    ),
    ErrorCode.AUTH_EXPIRED: ("A sign-in is over and cannot be renewed.", "Sign in again."),
    ErrorCode.LOGIN_FAILED: (
        "Signing in failed, or was refused on the page.",
        "Try again; `detail` says why.",
    ),
    ErrorCode.LOGIN_CANCELLED: ("Signing in was cancelled here.", "Nothing to do."),
    ErrorCode.LOGIN_TIMEOUT: ("Nobody finished signing in.", "Begin again."),
    ErrorCode.QUOTA_EXHAUSTED: ("No credits are left, or a limit of the account is reached.", "Add credits."),
    ErrorCode.KEY_STORE_LOCKED: ("Another process holds the key store.", "Try again."),
    ErrorCode.KEY_STORE_UNREADABLE: (
        "The key store is there and cannot be read.",
        "Correct or move the file that the message names. It is never overwritten.",
    ),
    ErrorCode.PROVIDER_UNKNOWN: ("Nobody knows this provider.", "`suggestions` has names that are close."),
    ErrorCode.PROVIDER_DISABLED: ("A setting leaves it out.", "Change the setting that the message names."),
    ErrorCode.PROVIDER_MISCONFIGURED: ("Its section of the configuration is wrong.", "Correct that section."),
    ErrorCode.CONFIGURATION_INVALID: (
        "A configuration file cannot be read, so nothing is sent to anybody.",
        "Correct the line that the message names; it is read again at once.",
    ),
    ErrorCode.MODEL_UNKNOWN: ("Nobody ever listed this model.", "`suggestions` has names that are close."),
    ErrorCode.MODEL_UNAVAILABLE: (
        "The model exists, but not for you now: not in the provider's list, or left out by a setting.",
        "Choose another model, or the setting that the message names.",
    ),
    ErrorCode.MODEL_DEPRECATED: ("The provider has taken the model away.", "Choose another model."),
    ErrorCode.CONTEXT_TOO_LONG: (
        "The conversation does not fit into the model; `limit` and `actual` in tokens, if told.",
        "Shorten it, or choose a model with more room.",
    ),
    ErrorCode.UNSUPPORTED_INPUT: ("The model cannot take a part of the message.", "Leave it out."),
    ErrorCode.UNSUPPORTED_OPTION: ("The provider or its format does not know an option.", "Leave it out."),
    ErrorCode.UPSTREAM_UNREACHABLE: (
        "No connection to the provider.",
        "Look at network, proxy, certificates and base URL; `trunkline doctor` does.",
    ),
    ErrorCode.UPSTREAM_TIMEOUT: ("The provider took too long; `phase` says with what.", "Try again later."),
    ErrorCode.UPSTREAM_ERROR: ("The provider has an error of its own.", "Try again later, or another model."),
    ErrorCode.RATE_LIMITED: ("Too many requests for this key.", "Wait for `retryAfterMs`."),
    ErrorCode.UPSTREAM_OVERLOADED: ("The provider has too much to do.", "Try again later, or another model."),
    ErrorCode.STREAM_INTERRUPTED: ("The answer broke off; `partial` has what came.", "Ask again."),
    ErrorCode.STREAM_MALFORMED: (
        "The provider sent what its format does not allow.",
        "Report it with the log.",
    ),
    ErrorCode.CONTENT_FILTERED: ("A filter of the provider stopped the answer.", "Ask in another way."),
    ErrorCode.REFUSED: ("The model refused to answer.", "Ask in another way."),
    ErrorCode.UPSTREAM_BAD_REQUEST: (
        "The provider does not accept the request; `detail` has its words.",
        "Change what it names.",
    ),
    ErrorCode.SESSION_UNKNOWN: (
        "There is no such session, or not any more.",
        "`session/list` has those there are.",
    ),
    ErrorCode.NOT_PERMITTED: ("The token's scope does not allow it.", "Use a token of a higher scope."),
    ErrorCode.CONFLICT: ("Something changed meanwhile.", "Read it again and repeat."),
    ErrorCode.NO_ACTIVE_TURN: ("Nothing runs that could be steered or interrupted.", "Nothing to do."),
    ErrorCode.TURN_UNKNOWN: ("There is no such turn in this session.", "Read the session again."),
    ErrorCode.CURSOR_EXPIRED: (
        "Events behind this cursor are not kept any more.",
        "Attach without a cursor.",
    ),
    ErrorCode.EPOCH_CHANGED: ("The session's log begins anew.", "Attach without a cursor."),
    ErrorCode.ATTACH_UNAUTHORIZED: ("No valid token.", "Take the token from the file that `serve` names."),
    ErrorCode.TOO_SLOW: (
        "The client took nothing for too long and was cut off.",
        "Attach again with the cursor.",
    ),
    ErrorCode.HEARTBEAT_LOST: ("The client did not answer pings.", "Attach again with the cursor."),
    ErrorCode.TOOL_UNKNOWN: (
        "The model asked for a tool that nobody offers.",
        "Nothing to do: the model is told.",
    ),
    ErrorCode.TOOL_TIMEOUT: ("The tool took too long.", "Try again; look at what the tool does."),
    ErrorCode.TOOL_FAILED: ("The tool failed; the message says how.", "What the message names."),
    ErrorCode.TOOL_DENIED: ("A person or a rule did not allow the tool.", "Change the rule, if it was one."),
    ErrorCode.TOOL_ANSWER_STALE: ("The answer came after somebody else's.", "Nothing to do."),
    ErrorCode.OVERLOADED: ("Too many requests run on this connection.", "Wait until one is done."),
    ErrorCode.MESSAGE_TOO_LARGE: ("The message is larger than is allowed.", "Send less at a time."),
    ErrorCode.TOO_DEEP: ("The JSON is nested too deep.", "A defect of the client."),
    ErrorCode.STORAGE_ERROR: ("A file of Trunkline cannot be read or written.", "Look at the file it names."),
    ErrorCode.STORAGE_FULL: ("There is no room on the disk.", "Free some; what was written is safe."),
}


def page() -> str:
    """The page, in Markdown.

    Raises:
        KeyError: nobody has said what a code means.
    """
    lines = ["| code | kind | again? | what happened | what helps |", "| --- | --- | --- | --- | --- |"]
    for code in ErrorCode:
        meaning, remedy = MEANINGS[code]
        again = "yes" if code in RETRYABLE else ""
        lines.append(f"| {int(code)} | `{code.kind}` | {again} | {meaning} | {remedy} |")
    return _INTRODUCTION + "\n" + "\n".join(lines) + "\n"
