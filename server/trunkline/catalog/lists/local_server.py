"""What the lists of servers on the user's own machine have in common.

Their model lists have OpenAI's shape, under `/v1`; what they know beyond it stands elsewhere on the server.
"""

from collections.abc import Iterable
from decimal import Decimal

from trunkline.catalog.fields import modalities
from trunkline.catalog.listed import Fetch
from trunkline.errors import TrunklineError
from trunkline.wire.json_values import list_in, object_in, parse_json
from trunkline_protocol.base import JsonObject
from trunkline_protocol.models import Modality, Pricing

_LONGEST_ID_SHOWN = 80


def server_root(base_url: str) -> str:
    """What the server's own API hangs under: the base URL without `/v1` or `/api` at its end."""
    return base_url.removesuffix("/v1").removesuffix("/api").rstrip("/")


async def details(
    fetch: Fetch, url: str, what: str, notes: list[str], *, body: JsonObject | None = None
) -> JsonObject:
    """The object that `url` answers with, where a list can do without it.

    Empty when there is none; then `notes` gets a line that says why `what` is unknown.
    """
    try:
        value = parse_json(await fetch(url, body=body))
    except TrunklineError as error:
        notes.append(f"{what}: {error.message}")
    except ValueError:
        notes.append(f"{what}: The answer is not JSON.")
    else:
        if isinstance(value, dict):
            return object_in(value)
        notes.append(f"{what}: The answer is not a JSON object.")
    return {}


def shown(model_id: str) -> str:
    """A model id as notes name it."""
    return model_id if len(model_id) <= _LONGEST_ID_SHOWN else f"{model_id[:_LONGEST_ID_SHOWN]}…"


def truth(*candidates: object) -> bool | None:
    """The first of `candidates` that is a boolean; None when none is."""
    return next((value for value in candidates if isinstance(value, bool)), None)


def texts(value: object) -> tuple[str, ...]:
    """The strings of an array, in its order; none when there is no array."""
    return tuple(item for item in list_in(value) if isinstance(item, str))


def inputs(
    *, image: bool | None, audio: bool | None = None, video: bool | None = None
) -> tuple[Modality, ...]:
    """Text, and what else is certain."""
    beside_text = {"image": image, "audio": audio, "video": video}
    return modalities(("text", *(name for name, is_taken in beside_text.items() if is_taken)))


def efforts_of(levels: Iterable[str]) -> tuple[str, ...] | None:
    """The reasoning efforts among a server's `levels`, some of which only switch reasoning on and off."""
    return tuple(level for level in levels if level not in ("on", "off", "none")) or None


def free() -> Pricing:
    """What tokens cost on one's own machine: nothing. That is known, it is no gap in the list."""
    return Pricing(input=Decimal(0), output=Decimal(0))
