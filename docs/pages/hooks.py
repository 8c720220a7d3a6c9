"""What MkDocs calls while it builds the site: pages that are no files in docs, and links that leave docs.

README, CONTRIBUTING and CHANGELOG are pages as they are; errors, settings and examples are made from sources.
"""

import re
from pathlib import Path

import error_table
import method_examples
import settings_table
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent

FROM_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
PICTURES = {
    path.relative_to(ROOT).as_posix(): f"images/vscode/{path.name}"
    for path in (ROOT / "editors" / "vscode" / "pictures").glob("*.png")
}
"""What the tests of VS Code itself take, where the extension shows it, and where the site has it."""
GENERATED = {
    "errors.md": error_table.page,
    "settings.md": settings_table.page,
    "examples.md": method_examples.page,
}

_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)((?:#[^)]*)?)\)")
_MARK = re.compile(r"^(```\w+)[^\n]* test[^\n]*$", re.MULTILINE)
"""The mark of a snippet that a test runs (tests/docs/test_snippets.py); readers need not see it."""


_CLIENT = re.compile(r"^\[(client\.(\w+))\]\(clients/\1\)$", re.MULTILINE)
"""A client on a line of its own is shown whole."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs."""
    for name, page in FROM_ROOT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_LINK.sub(_from_root, text)))
    for name, picture in PICTURES.items():
        files.append(File.generated(config, picture, content=(ROOT / name).read_bytes()))
    for page, made in GENERATED.items():
        files.append(File.generated(config, page, content=made()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Links to files beside docs become links to their pages."""
    return _CLIENT.sub(_client, _MARK.sub(r"\1", _LINK.sub(_in_docs, markdown)))


def _client(link: re.Match[str]) -> str:
    name, language = link.groups()
    return f"{link[0]}\n\n```{language}\n{(ROOT / 'docs' / 'clients' / name).read_text(encoding='utf-8')}```"


def _from_root(link: re.Match[str]) -> str:
    path, anchor = link.groups()
    return f"]({FROM_ROOT.get(path, path.removeprefix('docs/'))}{anchor})"


def _in_docs(link: re.Match[str]) -> str:
    path, anchor = link.groups()
    known = {**FROM_ROOT, **PICTURES}
    return f"]({known.get(path.removeprefix('../'), path) if path.startswith('../') else path}{anchor})"
