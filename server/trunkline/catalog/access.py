"""What a model list is fetched with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class HeadersFor(Protocol):
    """Makes the headers of one request."""

    def __call__(self, url: str, *, anonymous: bool = False) -> Mapping[str, str]:
        """Everything that a request to `url` carries, the key included unless `anonymous`.

        Raises:
            TrunklineError: PROVIDER_MISCONFIGURED, for example when the key does not belong there.
        """
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """What lists are fetched with. It can make keys appear, so nobody keeps it beyond a fetch."""

    headers: HeadersFor

    def __repr__(self) -> str:
        return "Access()"
