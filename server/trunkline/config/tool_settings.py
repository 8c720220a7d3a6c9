"""Settings of tools: what may be done without asking, and which MCP servers there are."""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import Field, PlainValidator, StrictBool, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from trunkline.config.base import SettingsModel
from trunkline.config.credentials import Headers
from trunkline.config.urls import DocumentUrl
from trunkline.config.values import FilePath, Words
from trunkline.secrets import Secret

Action = Literal["allow", "ask", "deny"]
Permission = Mapping[str, Action | Mapping[str, Action]]
"""By the name or pattern of a tool: what holds for it, or by the path or pattern of a file."""

_ACTIONS = ("allow", "ask", "deny")
_VARIABLE_NAME_STOPS = ("=", "\0")


def _permission(value: object) -> Permission:
    if isinstance(value, str):
        return {"*": _action(value)}
    if not isinstance(value, dict):
        raise PydanticCustomError("permission", "must be an object in braces { }")
    return {
        tool: {path: _action(one) for path, one in cast("dict[str, object]", said).items() if one is not None}
        if isinstance(said, dict)
        else _action(said)
        for tool, said in cast("dict[str, object]", value).items()
        if said is not None
    }


def _action(value: object) -> Action:
    if value not in _ACTIONS:
        raise PydanticCustomError("permission", "must have one of allow, ask and deny at every tool and path")
    return value


def _environment(value: object) -> dict[str, Secret]:
    if not isinstance(value, dict):
        raise PydanticCustomError("environment", "must be an object in braces { }")
    given = {name: one for name, one in cast("dict[str, object]", value).items() if one is not None}
    for name, one in given.items():
        if not name or any(stop in name for stop in _VARIABLE_NAME_STOPS):
            raise PydanticCustomError("environment", "has a name that no variable has")
        if not isinstance(one, str | Secret) or (isinstance(one, str) and "\0" in one):
            raise PydanticCustomError("environment", "must have text in quotes for {name}", {"name": name})
    return {name: one if isinstance(one, Secret) else Secret(str(one)) for name, one in given.items()}


PermissionRules = Annotated[
    Permission,
    PlainValidator(_permission, json_schema_input_type=Action | dict[str, Action | dict[str, Action]]),
]
"""The setting; one word holds for all tools."""


class McpServerSettings(SettingsModel):
    """`mcp.<name>`: a program (`command`) or an address (`url`)."""

    type: Literal["local", "remote"] | None = None
    """Not needed: `command` or `url` tells it."""
    enabled: StrictBool = True
    """Whether its tools are offered."""
    command: Words | None = Field(default=None, min_length=1, examples=[["uvx", "mcp-server-time"]])
    """The program and its arguments; no shell is involved. It is started when a turn begins."""
    environment: Annotated[
        dict[str, Secret], PlainValidator(_environment, json_schema_input_type=dict[str, str])
    ] = Field(default_factory=dict[str, Secret])
    """Variables of the program, besides those that every program needs. It gets no others of this process."""
    cwd: FilePath | None = None
    """The folder it is started in; an absolute path, or one that begins with `~/`."""
    url: DocumentUrl | None = None
    """Where a server is that speaks streamable HTTP; `http` only on this machine."""
    headers: Headers = Field(default_factory=dict[str, Secret])
    """Headers of every request to `url`."""
    timeout: StrictInt = Field(default=60_000, gt=0, examples=[60000])
    """How long it may take to start, and every call, in milliseconds."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "McpServerSettings":
        if self.enabled and (self.command is None) == (self.url is None):
            raise PydanticCustomError("mcp", "must have either `command` or `url`")
        return self
