"""provider/*."""

from trunkline.rpc.features.context import Context
from trunkline_protocol.providers import (
    PROVIDER_CONFIGURE,
    PROVIDER_LIST,
    PROVIDER_TEST,
    ProviderConfigureParams,
    ProviderConfigureResult,
    ProviderListParams,
    ProviderListResult,
    ProviderTestParams,
    ProviderTestResult,
)


async def provider_list(context: Context, params: ProviderListParams) -> ProviderListResult:
    """Handle `provider/list`."""
    return context.app.directory.list_providers(params)


async def provider_configure(context: Context, params: ProviderConfigureParams) -> ProviderConfigureResult:
    """Handle `provider/configure`."""
    return await context.app.provider_editor.configure(params)


async def provider_test(context: Context, params: ProviderTestParams) -> ProviderTestResult:
    """Handle `provider/test`."""
    return await context.app.probe.test(params)


HANDLERS = (
    (PROVIDER_LIST, provider_list),
    (PROVIDER_CONFIGURE, provider_configure),
    (PROVIDER_TEST, provider_test),
)
