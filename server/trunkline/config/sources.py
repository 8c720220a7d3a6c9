"""Where the user's own configuration is, in the order in which it is merged.

    <config directory>/trunkline.json      lowest
    <config directory>/trunkline.jsonc
    the file that TRUNKLINE_CONFIG names
    the text in TRUNKLINE_CONFIG_CONTENT   highest

All of them are the user's and may say the same: whoever sets the environment of a process can do as much.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trunkline.config.jsonc import MAX_BYTES, Unreadable, parse_object, read_object
from trunkline.config.paths import as_path
from trunkline.config.stamps import Stamp, stamp
from trunkline_protocol.base import JsonObject

FILE_NAMES = ("trunkline.json", "trunkline.jsonc")
"""In order of precedence, the strongest last."""

FILE_VARIABLE = "TRUNKLINE_CONFIG"
CONTENT_VARIABLE = "TRUNKLINE_CONFIG_CONTENT"


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or a text in the environment."""

    path: Path | None
    """None for the text in TRUNKLINE_CONFIG_CONTENT."""
    is_required: bool = False
    """Whether it is a problem when there is no such file."""
    content: str = field(default="", repr=False)
    """The text, where there is no path."""

    @property
    def directory(self) -> Path:
        """Where relative paths in it begin."""
        return Path.cwd() if self.path is None else self.path.parent

    def stamp(self) -> Stamp:
        """What changes when its file does."""
        return Stamp() if self.path is None else stamp(self.path)

    def read(self) -> JsonObject | Unreadable | None:
        """What it says; None when there is no such file."""
        if self.path is not None:
            document = read_object(self.path)
            missing = Unreadable(f"does not exist; the variable {FILE_VARIABLE} names it")
            return missing if document is None and self.is_required else document
        # The environment carries bytes that are not UTF-8 as lone surrogates.
        data = self.content.encode(errors="surrogateescape")
        return (
            parse_object(data)
            if len(data) <= MAX_BYTES
            else Unreadable(f"larger than {MAX_BYTES // 1024} KiB")
        )


def user_sources(directory: Path, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """The sources of a user whose files are in `directory`, the strongest last."""
    sources = [Source(directory / name) for name in FILE_NAMES]
    if named := environ.get(FILE_VARIABLE):
        sources.append(Source(as_path(named).absolute(), is_required=True))
    if content := environ.get(CONTENT_VARIABLE):
        sources.append(Source(None, content=content))
    return tuple(sources)
