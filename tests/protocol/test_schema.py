"""What is generated from the contract is what is checked in, and it is usable."""

import json
from pathlib import Path

import pytest

from trunkline_protocol import generate
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.methods import REQUESTS


@pytest.mark.parametrize("path", sorted(generate.files()), ids=lambda path: path.name)
def test_generated_files_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate.files()[path], "run `make schema`"


def test_every_method_has_its_models_in_the_schema() -> None:
    definitions = generate.schema()["$defs"]
    for request in REQUESTS:
        assert request.params.__name__ in definitions
        assert request.result.__name__ in definitions


def test_every_reference_in_the_schema_resolves() -> None:
    schema = generate.schema()
    text = json.dumps(schema)
    names = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert names <= set(schema["$defs"])


def test_error_kinds_are_unique_and_own_codes_are_positive() -> None:
    kinds = [code.kind for code in ErrorCode]
    assert len(kinds) == len(set(kinds))
    assert ErrorCode.AUTH_MISSING.kind == "authMissing"
    reserved = range(-32899, -31999)
    assert all(code > 0 or code in reserved for code in ErrorCode)
