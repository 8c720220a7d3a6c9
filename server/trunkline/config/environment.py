"""Settings that the environment may override: whether anything is fetched, and which catalogue.

    TRUNKLINE_OFFLINE        `1` or `true` switches fetching off, anything else on
    TRUNKLINE_MODELS_URL     fetched instead of https://models.dev/api.json
    TRUNKLINE_MODELS_FILE    read instead of fetching anything

An empty variable counts as absent.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from trunkline.config.paths import as_path
from trunkline.config.settings import CatalogSettings, Settings
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode

DEFAULT_CATALOGUE_URL = "https://models.dev/api.json"

OFFLINE_VARIABLE = "TRUNKLINE_OFFLINE"
URL_VARIABLE = "TRUNKLINE_MODELS_URL"
PATH_VARIABLE = "TRUNKLINE_MODELS_FILE"


class CatalogueSource(NamedTuple):
    """Where the models.dev data comes from."""

    url: str
    file: Path | None
    """When given, it is read and nothing is fetched."""


def offline(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Whether nothing may be fetched."""
    said = environ.get(OFFLINE_VARIABLE, "").strip().lower()
    return said in ("1", "true") if said else settings.offline


def catalogue_source(settings: Settings, environ: Mapping[str, str]) -> CatalogueSource:
    """Where the models.dev data comes from. When the environment says anything of it, the files do not count.

    Raises:
        TrunklineError: CONFIGURATION_INVALID, when the environment names an address that is not allowed.
    """
    url, file = environ.get(URL_VARIABLE), environ.get(PATH_VARIABLE)
    if not url and not file:
        return CatalogueSource(settings.catalog.url or DEFAULT_CATALOGUE_URL, settings.catalog.file)
    return CatalogueSource(
        _url(url) if url else DEFAULT_CATALOGUE_URL, as_path(file).absolute() if file else None
    )


def _url(written: str) -> str:
    try:
        named = CatalogSettings(url=written)
    except ValidationError as error:
        reason = error.errors(include_url=False, include_context=False, include_input=False)[0]["msg"]
        raise TrunklineError(
            ErrorCode.CONFIGURATION_INVALID,
            f"The environment variable {URL_VARIABLE} {reason}.",
            hint=f"Correct {URL_VARIABLE}, or unset it to fetch from models.dev.",
        ) from None
    return named.url or DEFAULT_CATALOGUE_URL
