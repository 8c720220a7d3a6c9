"""`trunkline sessions`: the conversations that are kept on this machine."""

import sys
from typing import TYPE_CHECKING

import click

from trunkline.cli.clean import clean
from trunkline.cli.terminal import application, dollars, run
from trunkline_protocol.sessions import SessionListParams, SessionReadParams

if TYPE_CHECKING:
    from trunkline.app import Application
    from trunkline_protocol.sessions import SessionInfo, SessionReadResult, Turn

_LAST = "last"
_PAGE = 500


@click.group("sessions")
def command() -> None:
    """List, show, export and delete sessions.

    SESSION is an id from `trunkline sessions list`, or `last` for the one that changed last.
    """


@command.command("list")
@click.argument("query", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known, as JSON.")
def list_sessions(query: str | None, *, as_json: bool) -> None:
    """List sessions, last changed first; with QUERY, those that have it in their title or folder.

    On a terminal this is a table; into a pipe it is one id a line.
    """
    run(_list(query, as_json=as_json))


@command.command("show")
@click.argument("session")
def show(session: str) -> None:
    """Show a whole session."""
    run(_show(session))


@command.command("export")
@click.argument("session")
@click.option("--json", "form", flag_value="json", default=True, help="As JSON (default).")
@click.option("--markdown", "form", flag_value="markdown", help="As a text with headings.")
def export(session: str, form: str) -> None:
    """Print a whole session, for files and other programs."""
    run(_export(session, form))


@command.command("delete")
@click.argument("session")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(session: str, *, yes: bool) -> None:
    """Delete a session and everything in it."""
    run(_delete(session, yes=yes))


async def _list(query: str | None, *, as_json: bool) -> int:
    sessions: list[SessionInfo] = []
    async with application() as app:
        cursor: str | None = None
        while True:
            page = await app.sessions.list(SessionListParams(cursor=cursor, limit=_PAGE, query=query))
            sessions += page.sessions
            cursor = page.next_cursor
            if cursor is None:
                break
    if as_json:
        from pydantic_core import to_json

        click.echo(to_json([session.to_wire() for session in sessions], indent=2))
    elif sys.stdout.isatty():
        _print_table(sessions)
    else:
        for session in sessions:
            click.echo(session.session_id)
    return 0


def _print_table(sessions: "list[SessionInfo]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not sessions:
        click.echo("There are no sessions.", err=True)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("session", "title", "changed", "state"):
        table.add_column(name)
    for name in ("turns", "cost"):
        table.add_column(name, justify="right")
    for session in sessions:
        title = Text(clean(session.title or "").replace("\n", " "), overflow="ellipsis", no_wrap=True)
        changed = session.updated_at[:16].replace("T", " ")
        cost = "" if session.cost is None else dollars(session.cost.amount, session.cost.currency)
        table.add_row(session.session_id, title, changed, session.state, str(session.turn_count), cost)
    Console().print(table)


async def _show(session: str) -> int:
    from trunkline.cli.session_view import SessionView

    async with application() as app:
        whole, turns = await _read(app, session)
    view = SessionView()
    view.head(whole.session)
    for turn in turns:
        view.turn(turn)
    return 0


async def _export(session: str, form: str) -> int:
    async with application() as app:
        whole, turns = await _read(app, session)
    if form == "markdown":
        click.echo(_markdown(whole.session, turns), nl=False)
        return 0
    from pydantic_core import to_json

    document = {"session": whole.session.to_wire(), "turns": [turn.to_wire() for turn in turns]}
    click.echo(to_json(document, indent=2))
    return 0


async def _delete(session: str, *, yes: bool) -> int:
    from trunkline.cli.prompts import agrees

    async with application() as app:
        session_id = await _id_of(app, session)
        title = (await app.sessions.read(SessionReadParams(session_id=session_id, max_turns=1))).session.title
        if not yes and not agrees(f"Delete {clean(title or session_id)} for good?"):
            return 1
        await app.sessions.delete(session_id, None)
    click.echo(f"Deleted {session_id}.", err=True)
    return 0


async def _id_of(app: "Application", session: str) -> str:
    if session != _LAST:
        return session
    sessions = (await app.sessions.list(SessionListParams(limit=1))).sessions
    if not sessions:
        raise click.ClickException("There is no session yet.")
    return sessions[0].session_id


async def _read(app: "Application", session: str) -> "tuple[SessionReadResult, list[Turn]]":
    """A session and all of its turns, in their order."""
    session_id = await _id_of(app, session)
    page = first = await app.sessions.read(SessionReadParams(session_id=session_id, max_turns=_PAGE))
    turns = list(page.turns)
    while page.next_before is not None:
        page = await app.sessions.read(
            SessionReadParams(session_id=session_id, max_turns=_PAGE, before_turn=page.next_before)
        )
        turns = [*page.turns, *turns]
    return first, turns


def _markdown(session: "SessionInfo", turns: "list[Turn]") -> str:
    from trunkline_protocol.messages import TextPart, ToolCallPart

    lines = [
        f"# {clean(session.title or session.session_id)}",
        "",
        f"{session.model}, {session.created_at}",
        "",
    ]
    for turn in turns:
        for item in turn.items:
            said = [part.text for part in item.message.content if isinstance(part, TextPart)]
            calls = [f"`{part.name}`" for part in item.message.content if isinstance(part, ToolCallPart)]
            if calls:
                said.append(f"*Calls {', '.join(calls)}.*")
            if said:
                lines += [f"## {item.message.role.capitalize()}", "", clean("\n\n".join(said)), ""]
        if turn.status != "completed":
            lines += [f"*This turn is {turn.status}.*", ""]
    return "\n".join(lines)
