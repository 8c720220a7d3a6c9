"""What one client narrows and chooses: the settings of its editor, and the files of its workspace folders.

Both come from places that are not trusted with more: see `rpc.editor_settings` and `config.workspace`.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from trunkline.providers.choices import NO_CHOICES, Choices
from trunkline.rpc.editor_settings import read_settings

if TYPE_CHECKING:
    from trunkline.config.load import ConfigFile


class ClientSettings:
    """Kept as long as the client is there; the narrowings reach the shared configuration."""

    def __init__(
        self,
        config: "ConfigFile",
        user_directory: Path,
        warn: Callable[[Iterable[str]], None],
        *,
        narrows: bool = True,
    ) -> None:
        """`user_directory` holds the user's own configuration: it is trusted, also when it is a folder.

        `narrows` is whether the editor's settings may leave out providers of this process.
        """
        self._config = config
        self._user_directory = user_directory
        self._warn = warn
        self._narrows = narrows
        self._by_editor = NO_CHOICES
        self._by_folders = NO_CHOICES
        self._folders: tuple[Path, ...] = ()

    @property
    def choices(self) -> Choices:
        """The models that this client chose; its editor's settings win over files."""
        return self._by_editor.over(self._by_folders)

    def choose(self, model: str) -> None:
        """The user has chosen a model; it counts until the editor's settings name another one."""
        self._by_editor = Choices(model, self._by_editor.small_model)

    def take_editor(self, value: Any) -> None:
        """Apply the editor's settings, if these are any; a wrong one is named and ignored."""
        settings = read_settings(value)
        if settings is not None:
            self._by_editor = Choices(settings.model, settings.small_model)
            if self._narrows:
                self._config.narrow((self, "editor"), settings.narrowing)
            self._warn(settings.problems)

    def take_folders(self, uris: Iterable[str]) -> None:
        """These are the client's folders now: apply what their files say."""
        self._forget_folders()
        self._folders = tuple(path for path in map(path_of, uris) if path is not None)
        self.reread_folders()

    def reread_folders(self) -> None:
        """Apply what the files of the folders say now."""
        self._forget_folders()
        if not self._folders:
            return
        from trunkline.config.workspace import read_workspace

        for place, folder in zip(self._places(), self._folders, strict=True):
            settings = read_workspace(folder, besides=self._user_directory)
            self._by_folders = self._by_folders.over(Choices(settings.model, settings.small_model))
            self._config.narrow(place, settings.narrowing)
            self._warn(settings.problems)

    def close(self) -> None:
        """The client has gone: what it narrowed is taken back."""
        self._config.narrow((self, "editor"), None)
        self._forget_folders()

    def _forget_folders(self) -> None:
        for place in self._places():
            self._config.narrow(place, None)
        self._by_folders = NO_CHOICES

    def _places(self) -> list[tuple["ClientSettings", Path]]:
        return [(self, folder) for folder in self._folders]


def folders_at_start(params: dict[str, Any]) -> tuple[str, ...]:
    """The folders' URIs that `initialize` names: `workspaceFolders`, or the older `rootUri`."""
    folders = params.get("workspaceFolders")
    if isinstance(folders, list):
        return uris_of(cast("list[Any]", folders))
    root = params.get("rootUri")
    return (root,) if isinstance(root, str) else ()


def uris_of(folders: list[Any]) -> tuple[str, ...]:
    """The URIs of LSP's `WorkspaceFolder` objects; what is none is left out."""
    given = [cast("dict[str, Any]", folder).get("uri") for folder in folders if isinstance(folder, dict)]
    return tuple(uri for uri in given if isinstance(uri, str))


def path_of(uri: str) -> Path | None:
    """The path of a `file:` URI; others are not on this machine."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = Path(url2pathname(parts.path))
    return path if path.is_absolute() and "\0" not in str(path) else None
