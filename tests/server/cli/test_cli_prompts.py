"""Which provider a person means."""

import pytest

from trunkline.cli.prompts import providers_meant
from trunkline_protocol.providers import ProviderAuth, ProviderInfo

AUTH = ProviderAuth(needed=True, methods=("apiKey",), env_vars=(), key_state="missing")


def info(provider_id: str, name: str, popular: int | None = None) -> ProviderInfo:
    return ProviderInfo(
        provider_id=provider_id,
        name=name,
        api_type="openai-chat",
        enabled=True,
        state="notConnected",
        source="builtin",
        popular=popular,
        auth=AUTH,
        model_count=0,
    )


PROVIDERS = (
    info("kilo", "Kilo Gateway", 0),
    info("openai", "OpenAI", 1),
    info("302ai", "302.AI"),
    info("deepinfra", "Deep Infra"),
    info("deepseek", "DeepSeek"),
    info("zai", "Z.AI"),
    info("zai-coding-plan", "Z.AI Coding Plan"),
)


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        ("1", ["kilo"]),
        (" 2 ", ["openai"]),
        ("9", []),
        ("3", ["302ai"]),
        ("zai", ["zai"]),
        ("ZAI", ["zai"]),
        ("z.ai", ["zai"]),
        ("coding", ["zai-coding-plan"]),
        ("deep", ["deepinfra", "deepseek"]),
        ("deep infra", ["deepinfra"]),
        ("nothing", []),
        ("", []),
        ("  ", []),
    ],
)
def test_an_answer_means(answer: str, meant: list[str]) -> None:
    assert [found.provider_id for found in providers_meant(answer, PROVIDERS)] == meant
