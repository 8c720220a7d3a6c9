"""The base of every wire model, and field types that several models share."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """A message or a part of one: camelCase on the wire, snake_case in Python, immutable.

    Unknown fields are ignored, so that a newer peer can talk to an older one. Input values never
    appear in validation errors: a parameter may be a secret.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        frozen=True,
        extra="ignore",
        defer_build=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
    )

    def to_wire(self) -> dict[str, Any]:
        """The JSON object that travels: aliases applied, absent fields left out."""
        return self.model_dump(mode="json", exclude_none=True)


class Empty(WireModel):
    """Params or a result without fields."""


Money = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""An amount of money: exact in Python, the shortest equal JSON number on the wire."""

JsonObject = dict[str, Any]
"""Any JSON object; its keys are kept exactly as they came."""

ProgressToken = str | int
"""LSP's name for where progress and partial results go."""

ModelRef = Annotated[
    str,
    Field(
        description="A model reference `provider/model`, split at the first `/` only: model ids contain `/`.",
        examples=["fastrouter/openai/gpt-4.1-mini"],
    ),
]

P_co = TypeVar("P_co", bound=WireModel, covariant=True)
R_co = TypeVar("R_co", bound=WireModel, covariant=True)


Scope = Literal["observe", "control", "admin"]
"""What a remote client may do; each includes the ones before. Who started the server may do it all."""


@dataclass(frozen=True, slots=True)
class Request(Generic[P_co, R_co]):
    """A request from client to server: its name and the models of both directions."""

    name: str
    summary: str
    """What it does, for the reference page."""
    params: type[P_co]
    result: type[R_co]
    scope: Scope = "admin"
    """What a remote client's token must allow; as much as there is, where nobody thought about it."""


@dataclass(frozen=True, slots=True)
class ServerRequest(Generic[P_co, R_co]):
    """A request from server to client. Sent to clients that announced that they answer it."""

    name: str
    summary: str
    """What it asks, for the reference page."""
    params: type[P_co]
    result: type[R_co]


@dataclass(frozen=True, slots=True)
class Notification(Generic[P_co]):
    """A message from server to client that is not answered. Sent to clients that announced `events`."""

    name: str
    summary: str
    """What it tells, for the reference page."""
    params: type[P_co]
