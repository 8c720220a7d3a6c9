"""Who hears of a chat request that has ended: the log, and OpenTelemetry where it is installed and asked for.

Installed is the extra `otel`; the standard environment variables ask for it. Names and values follow the
semantic conventions for generative AI (`gen_ai.*`, 1.40); what is particular to Trunkline begins with
`trunkline.`. No message, instruction or tool is ever recorded.
"""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trunkline import __version__
from trunkline.chat.record import log_line

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

    from trunkline.chat.record import ChatRecord

logger = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_EXPORT_S = 2.0
"""With its retries, unless the environment says otherwise: a collector that is gone must hold up nobody."""
_PORTS = {"https": 443, "http": 80}
_PROVIDERS = {
    "amazon-bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "google": "gcp.gemini",
    "google-vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
"""What the conventions call providers, where it is not their id."""

_FINISH_REASONS = {"toolCalls": "tool_call", "contentFilter": "content_filter"}
"""Likewise."""


class Telemetry:
    """One log line for each request, and a span. OpenTelemetry is not imported before the first has ended."""

    def __init__(
        self, environ: Mapping[str, str] = os.environ, provider: "TracerProvider | None" = None
    ) -> None:
        """`provider` takes the place of what the environment asks for."""
        self._environ = environ
        self._provider = provider
        self._settled = provider is not None

    def finished(self, record: "ChatRecord") -> None:
        """A chat request has ended."""
        log_line(record)
        if not self._settled:
            self._settled = True
            self._provider = _asked_for(self._environ)
        if self._provider is not None:
            _record_span(self._provider, record)

    async def aclose(self) -> None:
        """Send what has not been sent."""
        if self._provider is not None:
            await asyncio.to_thread(self._provider.shutdown)
            self._provider = None


def _asked_for(environ: Mapping[str, str]) -> "TracerProvider | None":
    """What the environment asks for, which is OTLP over HTTP or nothing; None also where it cannot be had."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    exporters = environ.get("OTEL_TRACES_EXPORTER", "otlp")
    if is_off or exporters != "otlp" or not any(environ.get(name) for name in _ENDPOINTS):
        return None
    try:
        return _otlp(environ)
    except ImportError:
        logger.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but trunkline[otel] is not installed: no traces")
    except Exception as error:  # noqa: BLE001 - whatever the variables say, requests go on
        logger.warning("the OTEL_ variables of the environment cannot be used: no traces (%s)", error)
    return None


def _otlp(environ: Mapping[str, str]) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # What is given here wins over the variables, so a name that the user chose must not be given.
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    own: dict[str, AttributeValue] = {} if named else {"service.name": "trunkline"}
    provider = TracerProvider(
        resource=Resource.create({**own, "service.version": __version__}), shutdown_on_exit=False
    )
    has_own = any(environ.get(name) for name in _TIMEOUTS)
    exporter = OTLPSpanExporter(timeout=None if has_own else _EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _record_span(provider: "TracerProvider", record: "ChatRecord") -> None:
    from opentelemetry.trace import SpanKind, Status, StatusCode

    attributes = {name: value for name, value in _attributes(record).items() if value is not None}
    ended = time.time_ns()
    span = provider.get_tracer("trunkline", __version__).start_span(
        f"chat {record.model_id}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        start_time=ended - record.timing.total_ms * 1_000_000,
    )
    if record.error is not None:
        span.set_status(Status(StatusCode.ERROR))
    span.end(ended)


def _attributes(record: "ChatRecord") -> "dict[str, AttributeValue | None]":
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(record.provider_id, record.provider_id),
        **_of_request(record),
        **_of_response(record),
        "error.type": None if record.error is None else record.error.kind,
        "http.response.status_code": record.http_status,
        "trunkline.provider.id": record.provider_id,
        "trunkline.attempts": record.timing.attempts,
        "trunkline.queue_time": _seconds(record.timing.queue_ms),
        "trunkline.connect_time": _seconds(record.timing.connect_ms),
        "trunkline.time_to_first_byte": _seconds(record.timing.first_byte_ms),
    }


def _of_request(record: "ChatRecord") -> "dict[str, AttributeValue | None]":
    address, options = urlsplit(record.url or ""), record.options
    return {
        "gen_ai.request.model": record.model_id,
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": options.max_output_tokens,
        "gen_ai.request.temperature": options.temperature,
        "gen_ai.request.top_p": options.top_p,
        "gen_ai.request.top_k": options.top_k,
        "gen_ai.request.seed": options.seed,
        "server.address": address.hostname,
        "server.port": address.port or _PORTS.get(address.scheme),
    }


def _of_response(record: "ChatRecord") -> "dict[str, AttributeValue | None]":
    usage, cost = record.usage, record.cost
    return {
        "gen_ai.response.id": record.response_id,
        "gen_ai.response.model": record.served_model,
        "gen_ai.response.finish_reasons": [_FINISH_REASONS.get(record.finish_reason, record.finish_reason)],
        "gen_ai.response.time_to_first_chunk": _seconds(record.timing.first_event_ms),
        "gen_ai.usage.input_tokens": usage and usage.input_tokens,
        "gen_ai.usage.output_tokens": usage and usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage and usage.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage and usage.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage and usage.reasoning_tokens,
        "trunkline.cost.amount": cost and float(cost.amount),
        "trunkline.cost.currency": cost and cost.currency,
        "trunkline.cost.source": cost and cost.source,
    }


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
