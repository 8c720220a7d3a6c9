"""What all settings models share: immutable, forgiving about what they do not know, silent about values.

`null` means absent everywhere. Unknown keys are ignored, so that one file can serve several tools.
No message of a validator repeats what the file says: it may be a key.
"""

from typing import Any, cast

from pydantic import BaseModel, ConfigDict, model_validator


class SettingsModel(BaseModel):
    """A part of the settings."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        defer_build=True,
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        return without_nulls(value)


def without_nulls(value: Any) -> Any:
    """An object without its members that are null, an empty one for null, everything else as it is."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in cast("dict[object, object]", value).items() if item is not None}
