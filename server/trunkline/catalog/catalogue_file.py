"""Reads the catalogue document that a user keeps in a file of their own."""

from pathlib import Path

from trunkline.catalog.catalogue_cache import digest_of
from trunkline.catalog.modelsdev import ModelsDev
from trunkline.errors import TrunklineError
from trunkline_protocol.errors import ErrorCode


def read_file(path: Path) -> tuple[ModelsDev, str]:
    """The document and its digest.

    Raises:
        TrunklineError: CONFIGURATION_INVALID, naming the file and what is wrong with it.
    """
    try:
        if path.exists() and not path.is_file():  # to read a pipe would be to wait for ever
            raise _unusable(path, "it is not a regular file")
        body = path.read_bytes()
        return ModelsDev.parse(body), digest_of(body)
    except OSError as error:
        raise _unusable(path, error.strerror or "it cannot be read") from None
    except ValueError as error:
        raise _unusable(path, str(error)) from None


def _unusable(path: Path, reason: str) -> TrunklineError:
    return TrunklineError(
        ErrorCode.CONFIGURATION_INVALID,
        f"The model catalogue {path} cannot be used.",
        detail=f"{path}: {reason}",
        hint=f"Correct {path}, or take it out of the configuration.",
    )
