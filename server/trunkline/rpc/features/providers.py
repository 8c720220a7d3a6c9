"""provider/*."""

from trunkline.rpc.features.context import Context
from trunkline_protocol.providers import PROVIDER_LIST, ProviderListParams, ProviderListResult


async def provider_list(context: Context, params: ProviderListParams) -> ProviderListResult:
    """Handle `provider/list`."""
    return context.app.directory.list_providers(params)


HANDLERS = ((PROVIDER_LIST, provider_list),)
