"""LSP's synchronisation of text documents, by pygls: the open buffers of one client.

Importing lsprotocol takes longer than everything else at start-up together: `rpc.documents` imports this
module when somebody asks for the text of a buffer.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.workspace import TextDocument, Workspace
from typing_extensions import override

from trunkline.tools.text_files import lines_of

_CONVERTER = get_converter()
_OTHER_LINE_BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


class _Document(TextDocument):
    @property
    @override
    def lines(self) -> Sequence[str]:
        """As LSP counts them (3.17, "Text Documents"): Python knows more ends of lines."""
        source = self.source
        if _OTHER_LINE_BREAKS.search(source) is None:
            return source.splitlines(keepends=True)
        return lines_of(source)


class _Workspace(Workspace):
    @override
    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> TextDocument:
        return _Document(doc_uri, source, version, language_id, position_codec=self.position_codec)


class SynchronisedDocuments:
    """The buffers as of the last message."""

    def __init__(self, position_encoding: str) -> None:
        self._workspace = _Workspace(None, position_encoding=position_encoding)

    @property
    def open(self) -> Mapping[str, TextDocument]:
        """By URI, without its percent signs."""
        return MappingProxyType(self._workspace.text_documents)

    def receive(self, method: str, params: Any) -> None:
        """Take over a message; one of a document that is not open is nothing.

        Raises:
            Exception: the params do not fit; what lsprotocol raises then is not specified.
        """
        match method:
            case "textDocument/didOpen":
                opened = _CONVERTER.structure(params, types.DidOpenTextDocumentParams)
                self._workspace.put_text_document(opened.text_document)
            case "textDocument/didChange":
                changed = _CONVERTER.structure(params, types.DidChangeTextDocumentParams)
                for change in changed.content_changes:
                    self._workspace.update_text_document(changed.text_document, change)
            case "textDocument/didClose":
                closed = _CONVERTER.structure(params, types.DidCloseTextDocumentParams)
                self._workspace.remove_text_document(closed.text_document.uri)
            case _:
                pass
