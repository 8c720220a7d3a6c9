"""How patient requests are: `request` for all providers, and the same among one's options, which win."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from trunkline.config.base import SettingsModel

Milliseconds = Annotated[StrictInt, Field(gt=0)] | Literal[False]


class RequestSettings(SettingsModel):
    """`request`, and part of `provider.<id>.options`. Times are milliseconds, and `false` is no limit."""

    connect_timeout: Milliseconds | None = Field(default=None, alias="connectTimeout", examples=[10_000])
    """Milliseconds for a connection, TLS included; `false` is no limit. 10 s by default."""
    timeout: Milliseconds | None = Field(default=None, examples=[120_000])
    """Milliseconds until the first byte of an answer; `false` is no limit. 120 s by default, 300 s for models
    that reason."""
    chunk_timeout: Milliseconds | None = Field(default=None, alias="chunkTimeout", examples=[120_000])
    """Milliseconds of silence in the middle of an answer; `false` is no limit. 120 s by default."""
    progress_timeout: Milliseconds | None = Field(default=None, alias="progressTimeout", examples=[300_000])
    """Milliseconds in the middle of an answer in which nothing comes but signs of life; `false` is no limit.
    300 s by default."""
    total_timeout: Milliseconds | None = Field(default=None, alias="totalTimeout", examples=[600_000])
    """Milliseconds for a whole request, retries included; without limit by default."""
    max_retries: StrictInt | None = Field(default=None, alias="maxRetries", ge=0, le=5)
    """How often a request is sent again at most when the provider could not answer. 5 by default."""
    max_answer_bytes: StrictInt | None = Field(default=None, alias="maxAnswerBytes", gt=0)
    """How large the text and media of one answer may become. 32 MiB by default."""
