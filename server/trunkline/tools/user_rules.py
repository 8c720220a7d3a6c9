"""The permission rules as they are in files now, and the answers that are to hold for good."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trunkline.tools.permission import Policy, allowing

if TYPE_CHECKING:
    from trunkline.config.load import ConfigFile
    from trunkline.tools.toolbox import Access


class UserRules:
    """Of one user; read when they are needed, so that a change of a file holds at once."""

    def __init__(self, config: "ConfigFile", directory: Path) -> None:
        """`directory` is that of the user's own configuration."""
        self._config = config
        self._directory = directory

    def policy(self, folders: Sequence[Path]) -> Policy:
        """What holds in workspace folders; reads their configuration files."""
        from trunkline.config.workspace import read_workspace

        workspace = (read_workspace(folder, besides=self._directory).permission for folder in folders)
        return Policy(self._config.own().settings.permission, tuple(rules for rules in workspace if rules))

    async def allow_always(self, tool: str, access: "Access") -> None:
        """Write into the user's configuration that calls like this are allowed.

        Raises:
            TrunklineError: the file cannot be changed; it is as it was.
        """
        from trunkline.config.edit import update_settings

        rules = self._config.own().settings.permission
        change = {"permission": allowing(rules, tool, access)}
        await asyncio.to_thread(update_settings, self._directory, change)
