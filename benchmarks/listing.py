"""model/list: of 5,000 models, and of one provider, beside what json.dumps takes for the same answer."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from measure import Row, Samples
from pydantic_core import to_json

from trunkline.app import Application
from trunkline.config.paths import Paths
from trunkline_protocol.models import ModelListParams, ModelListResult

MODELS = 5000
PROVIDERS = 50


def document() -> dict[str, Any]:
    """A catalogue of 5,000 models as they are on average in models.dev."""
    entry: dict[str, Any] = {
        "family": "talker",
        "attachment": True,
        "reasoning": True,
        "reasoning_options": [{"type": "effort", "values": ["low", "medium", "high"]}],
        "tool_call": True,
        "structured_output": True,
        "temperature": True,
        "release_date": "2026-05-01",
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "limit": {"context": 200_000, "output": 64_000},
        "cost": {"input": 1.25, "output": 10, "cache_read": 0.125},
    }
    each = MODELS // PROVIDERS
    return {
        f"acme-{number}": {
            "id": f"acme-{number}",
            "name": f"Acme {number}",
            "env": [f"ACME_{number}_API_KEY"],
            "npm": "@ai-sdk/openai-compatible",
            "api": f"https://acme-{number}.example/v1",
            "models": {
                f"vendor/talker-{index}": {
                    "id": f"vendor/talker-{index}",
                    "name": f"Talker {index}",
                    **entry,
                }
                for index in range(each)
            },
        }
        for number in range(PROVIDERS)
    }


def measure(rounds: int = 20) -> list[Row]:
    """The rows of the table."""
    return asyncio.run(_measure(rounds))


async def _measure(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        catalogue = home / "api.json"
        catalogue.write_text(json.dumps(document()), encoding="utf-8")
        os.environ["TRUNKLINE_MODELS_FILE"] = str(catalogue)
        app = Application(Paths(home, home, home, home), offline=True)
        try:
            everything = ModelListParams(provider_ids=tuple(document()))
            one = ModelListParams(provider_ids=("acme-7",))
            result, cold = await _timed(lambda: app.directory.list_models(everything))
            assert len(result.models) == MODELS
            warm = Samples([await _answered(app, everything) for _ in range(rounds)])
            single = Samples([await _answered(app, one) for _ in range(rounds)])
            dumped = Samples([_dumped(result) for _ in range(rounds)])
        finally:
            await app.aclose()
            del os.environ["TRUNKLINE_MODELS_FILE"]
    what = f"model/list of {MODELS:,} models, params to bytes"
    return [
        Row(what, "ms", warm, "json.dumps of the answer", dumped),
        Row(
            "the same, the first time in a process", "ms", Samples([cold]), "json.dumps of the answer", dumped
        ),
        Row("model/list of one provider, warm (at most 5 ms)", "ms", single, "the 5,000", warm),
    ]


async def _answered(app: Application, params: ModelListParams) -> float:
    """Milliseconds from the params to the bytes of the answer."""
    began = time.perf_counter()
    _body(await app.directory.list_models(params))
    return (time.perf_counter() - began) * 1000


async def _timed(work: Callable[[], Awaitable[ModelListResult]]) -> tuple[ModelListResult, float]:
    began = time.perf_counter()
    result = await work()
    _body(result)
    return result, (time.perf_counter() - began) * 1000


def _body(result: ModelListResult) -> bytes:
    """As the outbox writes it."""
    message = {"jsonrpc": "2.0", "id": 1, "result": result}
    return to_json(message, exclude_none=True, by_alias=True, inf_nan_mode="null")


def _dumped(result: ModelListResult) -> float:
    answer = json.loads(_body(result))
    began = time.perf_counter()
    json.dumps(answer)
    return (time.perf_counter() - began) * 1000
