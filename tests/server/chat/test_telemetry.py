"""Spans and log lines of chat requests: what they say, what they never say, and when there are none."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from support.upstream import Answer, Upstream, running_upstream
from trunkline.chat.record import ChatRecord, log_line
from trunkline.chat.telemetry import Telemetry
from trunkline_protocol.chat import ChatOptions, Cost, Timing, Usage
from trunkline_protocol.errors import ErrorCode

SECRET_WORDS = "my secret words"
ANSWERED = ChatRecord(
    provider_id="mistral",
    model_id="mistral-large",
    url="https://api.mistral.ai/v1",
    options=ChatOptions(
        max_output_tokens=100, temperature=0.5, top_p=0.9, top_k=40, seed=7, stop=(SECRET_WORDS,)
    ),
    timing=Timing(
        queue_ms=3, connect_ms=20, first_byte_ms=400, first_event_ms=750, total_ms=2500, attempts=2
    ),
    finish_reason="stop",
    http_status=200,
    served_model="mistral-large-2512",
    response_id="r1",
    usage=Usage(
        input_tokens=1000,
        cache_read_tokens=200,
        cache_write_tokens=50,
        output_tokens=300,
        reasoning_tokens=100,
    ),
    cost=Cost(amount=Decimal("0.00123"), currency="USD", source="provider", estimated=False),
)
REFUSED = ChatRecord(
    provider_id="acme",
    model_id="m",
    url="http://127.0.0.1:8080/v1",
    options=ChatOptions(),
    timing=Timing(total_ms=12),
    finish_reason="error",
    error=ErrorCode.RATE_LIMITED,
    http_status=429,
)


def span_of(record: ChatRecord) -> ReadableSpan:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    Telemetry({}, provider).finished(record)
    (span,) = exporter.get_finished_spans()
    return span


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_the_span_of_an_answer() -> None:
    span = span_of(ANSWERED)
    assert (span.name, span.kind) == ("chat mistral-large", SpanKind.CLIENT)
    assert span.end_time is not None
    assert span.start_time == span.end_time - 2_500_000_000
    assert span.status.status_code is StatusCode.UNSET
    assert attributes_of(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-large",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.seed": 7,
        "gen_ai.response.id": "r1",
        "gen_ai.response.model": "mistral-large-2512",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.75,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 300,
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.cache_creation.input_tokens": 50,
        "gen_ai.usage.reasoning.output_tokens": 100,
        "http.response.status_code": 200,
        "server.address": "api.mistral.ai",
        "server.port": 443,
        "trunkline.provider.id": "mistral",
        "trunkline.attempts": 2,
        "trunkline.queue_time": 0.003,
        "trunkline.connect_time": 0.02,
        "trunkline.time_to_first_byte": 0.4,
        "trunkline.cost.amount": 0.00123,
        "trunkline.cost.currency": "USD",
        "trunkline.cost.source": "provider",
    }


def test_the_span_of_a_failure() -> None:
    span = span_of(REFUSED)
    assert span.status.status_code is StatusCode.ERROR
    assert attributes_of(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": True,
        "error.type": "rateLimited",
        "gen_ai.response.finish_reasons": ("error",),
        "http.response.status_code": 429,
        "server.address": "127.0.0.1",
        "server.port": 8080,
        "trunkline.provider.id": "acme",
        "trunkline.attempts": 1,
        "trunkline.queue_time": 0.0,
    }


def test_every_name_is_one_of_the_conventions() -> None:
    conventions = import_module("opentelemetry.semconv._incubating.attributes.gen_ai_attributes")
    known = {value for value in vars(conventions).values() if isinstance(value, str)}
    ours = {name for name in attributes_of(span_of(ANSWERED)) if name.startswith("gen_ai.")}
    assert ours <= known
    assert set(ours).isdisjoint(
        {"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"}
    )


@pytest.mark.parametrize(
    ("provider_id", "name"),
    [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("google", "gcp.gemini"),
        ("xai", "x_ai"),
        ("azure", "azure.ai.openai"),
        ("fastrouter", "fastrouter"),
    ],
)
def test_providers_have_the_names_of_the_conventions(provider_id: str, name: str) -> None:
    attributes = attributes_of(span_of(replace(REFUSED, provider_id=provider_id)))
    assert attributes["gen_ai.provider.name"] == name


def test_a_reason_to_finish_has_the_name_of_the_conventions() -> None:
    attributes = attributes_of(span_of(replace(ANSWERED, finish_reason="toolCalls")))
    assert attributes["gen_ai.response.finish_reasons"] == ("tool_call",)


# --- asking for spans -------------------------------------------------------------------------------------


@asynccontextmanager
async def collector() -> AsyncGenerator[Upstream]:
    async with running_upstream(lambda _request: Answer(200)) as running:
        yield running


async def test_spans_go_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async with collector() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{running.port}")
        telemetry = Telemetry()
        telemetry.finished(ANSWERED)
        telemetry.finished(REFUSED)
        await telemetry.aclose()
        (sent,) = running.requests
    assert (sent.method, sent.path) == ("POST", "/v1/traces")
    (resource,) = ExportTraceServiceRequest.FromString(sent.body).resource_spans
    assert any(
        each.key == "service.name" and each.value.string_value == "trunkline"
        for each in resource.resource.attributes
    )
    assert [span.name for span in resource.scope_spans[0].spans] == ["chat mistral-large", "chat m"]
    assert SECRET_WORDS.encode() not in sent.body


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "ENDPOINT", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "ENDPOINT", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "ENDPOINT"},
    ],
)
async def test_nothing_is_sent_that_was_not_asked_for(environment: dict[str, str]) -> None:
    async with collector() as running:
        endpoint = f"http://127.0.0.1:{running.port}"
        telemetry = Telemetry(
            {name: value.replace("ENDPOINT", endpoint) for name, value in environment.items()}
        )
        telemetry.finished(ANSWERED)
        await telemetry.aclose()
        assert running.requests == []


async def test_variables_that_cannot_be_used_are_said_and_requests_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    telemetry = Telemetry()
    telemetry.finished(ANSWERED)
    telemetry.finished(REFUSED)
    await telemetry.aclose()
    warned = [line for line in caplog.messages if "no traces" in line]
    assert len(warned) == 1


# --- the log ----------------------------------------------------------------------------------------------


def line_of(record: ChatRecord, caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> str:
    with caplog.at_level(level, "trunkline.chat"):
        log_line(record)
    return caplog.messages[-1] if caplog.messages else ""


def test_the_line_of_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    assert line_of(ANSWERED, caplog) == (
        "chat provider=mistral model=mistral-large served=mistral-large-2512 status=200 finish=stop attempts=2 "
        "queueMs=3 connectMs=20 firstByteMs=400 firstEventMs=750 totalMs=2500 inputTokens=1000 "
        "cacheReadTokens=200 cacheWriteTokens=50 outputTokens=300 reasoningTokens=100 cost=0.00123 "
        "currency=USD costSource=provider"
    )


def test_the_line_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    assert line_of(REFUSED, caplog) == (
        "chat provider=acme model=m status=429 finish=error code=1304 kind=rateLimited attempts=1 queueMs=0 totalMs=12"
    )


def test_no_name_can_forge_a_field_or_a_line(caplog: pytest.LogCaptureFixture) -> None:
    line = line_of(replace(REFUSED, model_id='m" cost=0\nchat provider=x'), caplog)
    assert "\n" not in line
    assert 'model="m\\" cost=0\\nchat provider=x"' in line


def test_nobody_pays_for_a_line_that_nobody_reads(caplog: pytest.LogCaptureFixture) -> None:
    assert line_of(ANSWERED, caplog, logging.WARNING) == ""


def test_a_tiny_cost_is_written_out(caplog: pytest.LogCaptureFixture) -> None:
    tiny = Cost(amount=Decimal("1E-7"), currency="USD", source="computed", estimated=True)
    assert "cost=0.0000001 " in line_of(replace(ANSWERED, cost=tiny), caplog)
