"""session/*."""

from collections.abc import Sequence
from pathlib import Path

from trunkline.errors import TrunklineError
from trunkline.rpc.attachments import check_tools
from trunkline.rpc.features.context import Context
from trunkline.tools.confinement import is_path
from trunkline_protocol.base import Empty
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import TextPart
from trunkline_protocol.session_attach import (
    SESSION_ATTACH,
    SESSION_DETACH,
    SESSION_EVENTS,
    SESSION_SHARE,
    SessionAttachParams,
    SessionAttachResult,
    SessionEventsParams,
    SessionEventsResult,
    SessionShareParams,
    SessionShareResult,
)
from trunkline_protocol.session_events import InputPart
from trunkline_protocol.sessions import (
    SESSION_CREATE,
    SESSION_DELETE,
    SESSION_FORK,
    SESSION_INTERRUPT,
    SESSION_LIST,
    SESSION_PROMPT,
    SESSION_READ,
    SESSION_STEER,
    SESSION_UPDATE,
    SessionCreateParams,
    SessionCreateResult,
    SessionForkParams,
    SessionForkResult,
    SessionInterruptParams,
    SessionInterruptResult,
    SessionListParams,
    SessionListResult,
    SessionPromptParams,
    SessionPromptResult,
    SessionReadParams,
    SessionReadResult,
    SessionRef,
    SessionSteerParams,
    SessionSteerResult,
    SessionUpdateParams,
    SessionUpdateResult,
)


async def session_create(context: Context, params: SessionCreateParams) -> SessionCreateResult:
    """Handle `session/create`; a client that is told events is attached."""
    model = params.model or context.app.directory.defaults(context.settings.choices).model
    if model is None:
        raise TrunklineError(
            ErrorCode.MODEL_UNKNOWN,
            "No model was named, and there is no default one.",
            hint="Name a model, or store a key first: `trunkline auth login`.",
        )
    await context.app.directory.find(model)
    check_tools(params.tools, answers=context.client.tool_calls and context.client.events)
    params = params.model_copy(update={"cwd": _folder_of(context, params.cwd)})
    may_read_here = not context.principal.is_remote or context.principal.scope == "admin"
    session = await context.app.sessions.create(params, model, trusts_cwd=may_read_here)
    head_seq = session.head_seq
    if context.client.events:
        attaching = SessionAttachParams(session_id=session.session_id, role="controller", tools=params.tools)
        head_seq = (await context.attachments.attach(context, attaching)).head_seq
    return SessionCreateResult(session=session, epoch=session.epoch, head_seq=head_seq)


def _folder_of(context: Context, named: str | None) -> str | None:
    """The folder that a session is about: the one that was named, or the first of the editor's."""
    if named is not None and not (is_path(named) and Path(named).is_absolute()):
        raise TrunklineError(ErrorCode.INVALID_PARAMS, "cwd: must be an absolute path.")
    if named is not None or context.principal.is_remote or context.editor is None:
        return named
    return next(map(str, context.editor.folders()), None)


def _check_input(parts: Sequence[InputPart]) -> None:
    if not any(not isinstance(part, TextPart) or part.text.strip() for part in parts):
        raise TrunklineError(ErrorCode.INVALID_PARAMS, "input: says nothing.")


async def session_list(context: Context, params: SessionListParams) -> SessionListResult:
    """Handle `session/list`."""
    return await context.app.sessions.list(params)


async def session_read(context: Context, params: SessionReadParams) -> SessionReadResult:
    """Handle `session/read`."""
    return await context.app.sessions.read(params)


async def session_update(context: Context, params: SessionUpdateParams) -> SessionUpdateResult:
    """Handle `session/update`."""
    if params.model is not None:
        await context.app.directory.find(params.model)
    peer = context.attachments.peer(params.session_id)
    return SessionUpdateResult(session=await context.app.sessions.update(params, peer))


async def session_fork(context: Context, params: SessionForkParams) -> SessionForkResult:
    """Handle `session/fork`."""
    session = await context.app.sessions.fork(params)
    return SessionForkResult(session=session, epoch=session.epoch, head_seq=session.head_seq)


async def session_delete(context: Context, params: SessionRef) -> Empty:
    """Handle `session/delete`."""
    await context.app.sessions.delete(params.session_id, context.attachments.peer(params.session_id))
    return Empty()


async def session_prompt(context: Context, params: SessionPromptParams) -> SessionPromptResult:
    """Handle `session/prompt`."""
    _check_input(params.input)
    return await context.app.sessions.prompt(params, context.attachments.peer(params.session_id))


async def session_steer(context: Context, params: SessionSteerParams) -> SessionSteerResult:
    """Handle `session/steer`."""
    _check_input(params.input)
    return await context.app.sessions.steer(params, context.attachments.peer(params.session_id))


async def session_interrupt(context: Context, params: SessionInterruptParams) -> SessionInterruptResult:
    """Handle `session/interrupt`."""
    return await context.app.sessions.interrupt(params, context.attachments.peer(params.session_id))


async def session_attach(context: Context, params: SessionAttachParams) -> SessionAttachResult:
    """Handle `session/attach`."""
    return await context.attachments.attach(context, params)


async def session_detach(context: Context, params: SessionRef) -> Empty:
    """Handle `session/detach`."""
    context.attachments.detach(context, params.session_id)
    return Empty()


async def session_events(context: Context, params: SessionEventsParams) -> SessionEventsResult:
    """Handle `session/events`."""
    return await context.app.sessions.events(params)


async def session_share(context: Context, params: SessionShareParams) -> SessionShareResult:
    """Handle `session/share`."""
    if context.remote is None:
        raise TrunklineError(
            ErrorCode.NOT_PERMITTED, "This connection cannot let others attach to the process."
        )
    if params.session_id is not None:
        await context.app.sessions.known(params.session_id)
    url, token_file, expires_at = await context.remote.open(params.scope, params.transport, params.session_id)
    return SessionShareResult(url=url, token_file=str(token_file), expires_at=expires_at)


HANDLERS = (
    (SESSION_CREATE, session_create),
    (SESSION_LIST, session_list),
    (SESSION_READ, session_read),
    (SESSION_UPDATE, session_update),
    (SESSION_FORK, session_fork),
    (SESSION_DELETE, session_delete),
    (SESSION_PROMPT, session_prompt),
    (SESSION_STEER, session_steer),
    (SESSION_INTERRUPT, session_interrupt),
    (SESSION_ATTACH, session_attach),
    (SESSION_DETACH, session_detach),
    (SESSION_EVENTS, session_events),
    (SESSION_SHARE, session_share),
)
