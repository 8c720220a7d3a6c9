"""One question and its answer, for people and for programs."""

import sys
from typing import TYPE_CHECKING

import click

from trunkline.cli.chat_summary import summary
from trunkline.cli.chat_view import JsonView, PlainView, View, follow, json_line
from trunkline.cli.exit_codes import FAILED
from trunkline.cli.terminal import application
from trunkline.errors import TrunklineError, describe

if TYPE_CHECKING:
    from trunkline.cli.chat_request import Asking
    from trunkline_protocol.chat import ChatStreamResult
    from trunkline_protocol.messages import Message


async def ask_once(asking: "Asking", message: "Message", *, as_json: bool) -> int:
    """Ask, show the answer, and say how it ended. The exit code is 0 only for a complete answer."""
    async with application() as app:
        try:
            answer = await app.chat.start(await asking.params(app, (message,)))
            await follow(answer, _view(asking.model or "", as_json=as_json))
        except TrunklineError as error:
            if as_json:
                json_line({"type": "error", "error": describe(error).to_wire()})
            raise
    result = answer.result(streamed=True)
    if as_json:
        json_line({"type": "result", "result": result.to_wire()})
    else:
        click.secho(summary(result), dim=True, err=True)
    return _code(result)


def _view(model: str, *, as_json: bool) -> View:
    if as_json:
        return JsonView()
    if sys.stdout.isatty():
        from rich.console import Console

        from trunkline.cli.chat_live import LiveView

        return LiveView(Console(highlight=False), model)
    return PlainView()


def _code(result: "ChatStreamResult") -> int:
    if result.finish_reason == "stop":
        return 0
    click.echo(f"The answer is not complete: {result.raw_finish_reason or result.finish_reason}.", err=True)
    return FAILED
