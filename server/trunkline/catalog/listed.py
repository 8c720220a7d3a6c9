"""What a live model list says, and what there is to read one.

A list says of a model what it says and leaves the rest unknown; `catalog.merge` completes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from trunkline_protocol.base import JsonObject
from trunkline_protocol.models import Modality, Pricing, TokenRange


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """One entry of a list. None is unknown."""

    model_id: str
    """As the provider names it."""
    name: str | None = None
    family: str | None = None
    version: str | None = None
    context_window: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    input_modalities: tuple[Modality, ...] | None = None
    output_modalities: tuple[Modality, ...] | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    reasoning: bool | None = None
    reasoning_efforts: tuple[str, ...] | None = None
    default_reasoning_effort: str | None = None
    reasoning_budget: TokenRange | None = None
    reasoning_optional: bool | None = None
    temperature: bool | None = None
    structured_output: bool | None = None
    caching: bool | None = None
    pricing: Pricing | None = None
    status: Literal["active", "beta", "alpha", "deprecated"] | None = None
    release_date: str | None = None
    """ISO 8601 date."""
    alias_of: str | None = None
    is_chat: bool = True
    """False for models that no chat request makes sense with (embeddings, speech, ...)."""


@dataclass(frozen=True, slots=True)
class ParsedList:
    """The models of a list, in its order, and why entries were left out."""

    models: tuple[ListedModel, ...]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListContext:
    """Whose list is read, and from where."""

    provider_id: str
    base_url: str
    """Without a slash at the end."""
    has_key: bool
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Settings of the provider that its list depends on, for example an organisation."""


class Fetch(Protocol):
    """Gets a document of the provider whose list is read."""

    async def __call__(
        self,
        url: str,
        *,
        body: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
        anonymous: bool = False,
    ) -> bytes:
        """The answer's body: of a GET, or of a POST of `body` as JSON. `url` has the base URL's origin.

        The provider's key and headers are added; the key is left out when `anonymous`.

        Raises:
            TrunklineError: any status but 2xx (`fields["http_status"]` has it), and what `HttpClient.fetch`
                raises.
        """
        ...


class ListReader(Protocol):
    """One way of publishing models: which documents to fetch and how to read them."""

    @property
    def knows_prices(self) -> bool:
        """Whether the list states prices.

        A price that such a list leaves out is unknown, even if the offline catalogue has a number.
        """
        ...

    async def read(self, context: ListContext, fetch: Fetch) -> ParsedList:
        """The whole list.

        A malformed entry is left out and reported in `skipped`. Of two entries with one id the first counts.

        Raises:
            TrunklineError: what `fetch` raises, and UPSTREAM_ERROR when the answer holds no list.
        """
        ...
