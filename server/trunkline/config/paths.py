"""Where this user's files are, and what a path in settings means; nothing is created here."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The directories of one user. Those who write into one create it."""

    config: Path
    """What the user writes: `trunkline.jsonc`."""
    data: Path
    """What must not be lost: `auth.json`."""
    cache: Path
    """What can be fetched again."""
    state: Path
    """What belongs to this machine: the sessions' log, listeners, log files."""

    @classmethod
    def for_user(cls) -> "Paths":
        """The platform's directories for Trunkline; `XDG_*` is honoured where the platform has it."""
        from platformdirs import PlatformDirs

        directories = PlatformDirs(appname="trunkline", appauthor=False)
        return cls(
            config=directories.user_config_path,
            data=directories.user_data_path,
            cache=directories.user_cache_path,
            state=directories.user_state_path,
        )


def as_path(written: str) -> Path:
    """A path as a person writes it: `~/` is their home. What cannot be expanded stays as it is."""
    path = Path(written.strip())
    try:
        return path.expanduser()
    except RuntimeError:
        return path
