"""What editors complete by is made from the settings models and is what is checked in."""

import json
from typing import Any

from trunkline.config import generate
from trunkline.config.documents import keys_of
from trunkline.config.model_settings import ModelSettings
from trunkline.config.settings import ProviderOptions, ProviderSettings, Settings

SCHEMA: dict[str, Any] = json.loads(generate.SCHEMA_FILE.read_text(encoding="utf-8"))


def test_the_generated_file_is_up_to_date() -> None:
    assert generate.SCHEMA_FILE.read_text(encoding="utf-8") == generate.text(), (
        "run `python -m trunkline.config.generate`"
    )


def test_every_key_is_there_under_the_name_it_has_in_the_file() -> None:
    definitions = SCHEMA["$defs"]
    assert set(SCHEMA["properties"]) == {"$schema", *keys_of(Settings)}
    for model in (ProviderSettings, ProviderOptions, ModelSettings):
        assert set(definitions[model.__name__]["properties"]) == keys_of(model)
    assert "baseURL" in definitions["ProviderOptions"]["properties"]


def test_every_setting_outside_models_has_a_description() -> None:
    silent = [
        name
        for owner in (SCHEMA, SCHEMA["$defs"]["ProviderSettings"], SCHEMA["$defs"]["ProviderOptions"])
        for name, described in owner["properties"].items()
        if "description" not in described and name != "$schema"
    ]
    assert silent == []


def test_inherited_settings_are_described_too() -> None:
    assert "cache" in SCHEMA["$defs"]["ModelCost"]["properties"]["cache_read"]["description"]


def test_null_is_allowed_where_a_key_may_be_left_out() -> None:
    def may_be_null(described: dict[str, Any]) -> bool:
        return {"type": "null"} in described.get("anyOf", [])

    for owner in (SCHEMA, *SCHEMA["$defs"].values()):
        for name, described in owner["properties"].items():
            assert may_be_null(described) is (name not in owner.get("required", ()) and name != "$schema"), (
                name
            )
    models = SCHEMA["$defs"]["ProviderSettings"]["properties"]["models"]["anyOf"][0]
    assert may_be_null(models["additionalProperties"])


def test_every_reference_resolves() -> None:
    names = {part.split('"')[0] for part in json.dumps(SCHEMA).split("#/$defs/")[1:]}
    assert names == set(SCHEMA["$defs"])
