"""What `trunkline doctor` finds out about settings, keys, and the providers behind them."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from trunkline.cli.doctor_finding import Finding, broken
from trunkline.errors import TrunklineError
from trunkline_protocol.providers import ProviderListParams, ProviderTestParams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trunkline.app import Application
    from trunkline_protocol.auth import KeyInfo


def configuration(app: "Application") -> "Iterator[Finding]":
    """Everything that is wrong with the settings."""
    import os

    from trunkline.config.environment import catalogue_source
    from trunkline.config.workspace import read_workspace

    loaded = app.config.current()
    workspace = read_workspace(Path.cwd(), besides=app.paths.config)
    problems = (*loaded.notices(), *workspace.problems)
    for problem in problems:
        yield Finding("configuration", "broken", problem, "`trunkline config path` names the files.")
    try:
        catalogue_source(loaded.settings, os.environ)
    except TrunklineError as error:
        yield broken("configuration", error)
        return
    if not problems:
        yield Finding("configuration", "ok", f"nothing is wrong with it; it is in {app.paths.config}")
    if app.is_offline():
        yield Finding("configuration", "note", "offline: no list is fetched and no provider is asked here")


async def providers(app: "Application") -> list[Finding]:
    """The providers that are set up: whether they answer, how fast, and whether they take the key."""
    try:
        keys = [key for key in app.keys.list() if key.active]
    except TrunklineError as error:
        return [broken("keys", error)]
    found = [Finding("keys", "note", notice) for notice in app.store.notices()]
    found += list(await asyncio.gather(*(_key(app, key) for key in keys)))
    if not keys:
        hint = "`trunkline auth login fastrouter` stores one; a server on this machine needs none."
        found.append(Finding("keys", "note", "none", hint))
    return found + await _without_key(app, {key.provider_id for key in keys})


async def _key(app: "Application", key: "KeyInfo") -> Finding:
    name = f"{key.provider_id}, key {key.key_id}"
    began = time.monotonic()
    try:
        result = await app.keys.verify(key.provider_id)
    except TrunklineError as error:
        return broken("keys", error)
    took = f"answers after {(time.monotonic() - began) * 1000:.0f} ms"
    if result.state == "ok":
        return Finding("keys", "ok", f"{name}: accepted; {took}")
    if app.is_offline():
        return Finding("keys", "note", f"{name}: not asked")
    if result.state == "unverified" and (result.error is None or not result.error.data.retryable):
        return Finding("keys", "note", f"{name}: {took}, but does not tell whether the key is good")
    if result.error is None:
        return Finding("keys", "broken", f"{name}: {result.state}")
    return broken("keys", result.error)


async def _without_key(app: "Application", with_key: set[str]) -> list[Finding]:
    """Servers on this machine, and other providers of the configuration that need no key."""
    listed = app.directory.list_providers(ProviderListParams()).providers
    open_ones = {info.provider_id for info in listed if not info.auth.needed} - with_key
    asked = [
        provider
        for provider in app.registry.all()
        if provider.provider_id in open_ones and (provider.spec.is_local or provider.is_configured)
    ]
    if app.is_offline():
        return []
    tests = (app.probe.test(ProviderTestParams(provider_id=one.provider_id)) for one in asked)
    found: list[Finding] = []
    for provider, result in zip(asked, await asyncio.gather(*tests), strict=True):
        if result.ok:
            text = f"{provider.provider_id} answers after {result.latency_ms} ms"
            found.append(Finding("servers", "ok", text))
        elif provider.is_configured and result.error is not None:
            found.append(broken("servers", result.error))
    return found or [Finding("servers", "ok", "none runs on this machine, as far as they are known")]
