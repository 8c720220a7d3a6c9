import subprocess
import sys

import pytest

from trunkline.catalog.lists import LISTS, reader
from trunkline.errors import TrunklineError
from trunkline.providers.rows import BUILTIN
from trunkline_protocol.errors import ErrorCode


@pytest.mark.parametrize("name", sorted(LISTS))
def test_every_reader_can_be_had(name: str) -> None:
    assert isinstance(reader(name).knows_prices, bool)
    assert callable(reader(name).read)


@pytest.mark.parametrize("name", sorted({row.model_list for row in BUILTIN if row.model_list}))
def test_every_reader_that_a_row_names_is_there(name: str) -> None:
    assert name in LISTS


def test_an_unknown_reader_is_an_error() -> None:
    with pytest.raises(TrunklineError, match="no reader 'nonsense'") as caught:
        reader("nonsense")

    assert caught.value.code is ErrorCode.PROVIDER_MISCONFIGURED
    assert "openrouter" in str(caught.value.fields.get("hint"))


def test_readers_are_imported_when_they_are_asked_for() -> None:
    code = (
        "import sys, trunkline.catalog.live\n"
        "loaded = {name for name in sys.modules if name.startswith('trunkline.catalog.lists.')}\n"
        "readers = {'anthropic', 'apertis', 'gemini', 'kilo', 'openai', 'openrouter', 'ollama'}\n"
        "assert not {name.rpartition('.')[2] for name in loaded} & readers, loaded\n"
        "assert 'httpx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
