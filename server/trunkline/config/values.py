"""Kinds of values that several settings share."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator
from pydantic_core import PydanticCustomError

from trunkline.config.paths import as_path


def _words(value: object) -> object:
    if isinstance(value, str):
        # Whoever writes one string means a shell, which would read it in its own way.
        raise PydanticCustomError("words", "must be a list of the program and its arguments")
    return value


def _absolute(written: object) -> Path:
    if not isinstance(written, str):
        raise PydanticCustomError("absolute_path", "must be text in quotes")
    path = as_path(written)
    if not path.is_absolute() or "\0" in written:
        raise PydanticCustomError("absolute_path", "must be an absolute path, or begin with ~/")
    return path


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""A program and its arguments."""

FilePath = Annotated[Path, PlainValidator(_absolute, json_schema_input_type=str)]
"""Absolute; `~/` is the user's home."""
