"""provider/test with a model, and with another key than the one in use."""

import pytest

from support.provider import MODEL, Provider, chunk
from support.upstream import Upstream, answer_json, answer_sse
from support.user import CANARY
from trunkline.app import Application
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.providers import ProviderTestParams

OTHER = "sk-v1-another-key-4c1d90aa"


async def store(app: Application, key_id: str, secret: str, *, make_active: bool) -> None:
    await app.keys.set("fastrouter", Secret(secret), key_id=key_id, label=None, make_active=make_active)


async def test_a_model_is_asked_for_the_least(
    app: Application, provider: Provider, scripted: Upstream
) -> None:
    await store(app, "default", CANARY, make_active=True)
    provider.answers = [answer_sse(chunk(content="Hello"), chunk("stop"))]

    tested = await app.probe.test(ProviderTestParams(provider_id="fastrouter", model=MODEL))

    assert (tested.ok, tested.error) == (True, None)
    (chat,) = scripted.chats()
    assert chat.json["max_tokens"] == 16
    assert len(chat.json["messages"]) == 1


async def test_another_key_can_be_tested_without_being_used(app: Application, scripted: Upstream) -> None:
    await store(app, "default", CANARY, make_active=True)
    await store(app, "other", OTHER, make_active=False)
    scripted.requests.clear()

    tested = await app.probe.test(ProviderTestParams(provider_id="fastrouter", key_id="other"))

    assert tested.ok
    assert scripted.requests[-1].headers["authorization"] == f"Bearer {OTHER}"
    assert next(key for key in app.keys.list("fastrouter") if key.active).key_id == "default"


async def test_what_goes_wrong_is_the_result(
    app: Application, provider: Provider, scripted: Upstream
) -> None:
    await store(app, "default", CANARY, make_active=True)
    assert scripted.port
    provider.answers = [answer_json({"error": {"message": "no credits"}}, 402)]

    broke = await app.probe.test(ProviderTestParams(provider_id="fastrouter", model=MODEL))
    unknown = await app.probe.test(ProviderTestParams(provider_id="fastrouter", model="fastrouter/acme/x"))
    no_key = await app.probe.test(ProviderTestParams(provider_id="fastrouter", key_id="nope"))

    found = [tested.error.code if tested.error else None for tested in (broke, unknown, no_key)]
    assert found == [ErrorCode.QUOTA_EXHAUSTED, ErrorCode.MODEL_UNKNOWN, ErrorCode.AUTH_MISSING]
    assert not any(tested.ok for tested in (broke, unknown, no_key))


async def test_what_makes_no_sense_is_refused(app: Application) -> None:
    with pytest.raises(TrunklineError) as nobody:
        await app.probe.test(ProviderTestParams(provider_id="nobody"))
    with pytest.raises(TrunklineError) as elsewhere:
        await app.probe.test(ProviderTestParams(provider_id="openai", model=MODEL))

    assert nobody.value.code is ErrorCode.PROVIDER_UNKNOWN
    assert elsewhere.value.code is ErrorCode.INVALID_PARAMS
