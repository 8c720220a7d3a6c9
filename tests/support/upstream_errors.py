"""What becomes of a provider's error answer: a row of a table, and the error a client is told."""

import json
from dataclasses import dataclass
from typing import Any

from trunkline.errors import describe
from trunkline.wire.upstream_errors import error_from_answer
from trunkline_protocol.errors import ErrorData

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@dataclass(frozen=True)
class Row:
    """An answer and what it must become."""

    status: int
    body: Any
    """JSON, or the bytes themselves."""
    kind: str
    retryable: bool = False
    wait: int | None = None
    """Milliseconds."""
    says: str = ""
    """Part of the detail."""
    hint: str = ""
    """Part of the hint."""
    headers: tuple[tuple[str, str], ...] = ()
    model: str = "vendor/model"

    def told(self) -> ErrorData:
        """What a client is told."""
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        error = error_from_answer(
            self.status, dict(self.headers), raw, provider_id="acme", model_id=self.model
        )
        return describe(error).data

    def check(self) -> None:
        """Everything that a client acts on."""
        told = self.told()
        assert (told.kind, told.retryable, told.retry_after_ms) == (self.kind, self.retryable, self.wait)
        assert self.says in (told.detail or "")
        assert self.hint in (told.hint or "")
        assert told.hint
        assert (told.http_status, told.provider_id, told.model_id) == (self.status, "acme", self.model)


def error(message: str, **fields: Any) -> dict[str, Any]:
    """OpenAI's shape."""
    return {"error": {"message": message, **fields}}
