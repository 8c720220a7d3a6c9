"""workspace/executeCommand and textDocument/codeAction: the main jobs, for editors without a plugin.

The messages are LSP 3.17's, as far as they are looked at; the commands are Trunkline's.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from trunkline_protocol.base import Empty, Request, Scope, WireModel


class Position(WireModel):
    """A place in a text (LSP 3.17, "Position"). Only lines count here."""

    line: int = Field(ge=0)
    character: int = Field(default=0, ge=0)


class Range(WireModel):
    """From one place to another (LSP 3.17, "Range"); a line that is begun is meant whole."""

    start: Position
    end: Position


class Passage(WireModel):
    """Lines of an open document."""

    uri: str
    range: Range


class ExecuteCommandParams(WireModel):
    """Params of `workspace/executeCommand`."""

    command: str
    arguments: tuple[Any, ...] = ()


class DocumentRef(WireModel):
    """LSP 3.17, "TextDocumentIdentifier"."""

    uri: str


class CodeActionContext(WireModel):
    """LSP 3.17, "CodeActionContext"."""

    only: tuple[str, ...] | None = None


class CodeActionParams(WireModel):
    """Params of `textDocument/codeAction`."""

    text_document: DocumentRef
    range: Range
    context: CodeActionContext = Field(default_factory=CodeActionContext)


@dataclass(frozen=True, slots=True)
class Command:
    """A command: announced to editors that do not speak Trunkline, and answered to all."""

    name: str
    arguments: str
    """For people; all of them can be left out."""
    summary: str
    scope: Scope
    """What a remote client's token must allow."""


CHAT_COMMAND = Command(
    "trunkline.chat",
    "a question, or a Passage",
    "Ask the default model. The answer to a passage is written below it, that to a question is shown. It is "
    "also the result.",
    "control",
)
LOGIN_COMMAND = Command(
    "trunkline.login",
    "a provider's id, a method",
    "Sign in on the provider's page. Without a provider the user chooses one.",
    "admin",
)
MODELS_COMMAND = Command(
    "trunkline.models",
    "a part of a name",
    "The models that can be used, newest first, as references. The user may choose one for this editor.",
    "observe",
)
COMMANDS = (CHAT_COMMAND, LOGIN_COMMAND, MODELS_COMMAND)

EXECUTE_COMMAND = Request("workspace/executeCommand", "Do it.", ExecuteCommandParams, Empty, "observe")
CODE_ACTION = Request(
    "textDocument/codeAction", "What can be done with a passage.", CodeActionParams, Empty, "control"
)
