"""auth/*."""

from trunkline.rpc.features.context import Context
from trunkline.secrets import Secret
from trunkline_protocol.auth import (
    AUTH_LIST,
    AUTH_REMOVE,
    AUTH_SET,
    AuthListParams,
    AuthListResult,
    AuthRemoveParams,
    AuthSetParams,
    AuthSetResult,
)
from trunkline_protocol.base import Empty


async def auth_set(context: Context, params: AuthSetParams) -> AuthSetResult:
    """Handle `auth/set`."""
    key = await context.app.keys.set(
        params.provider_id,
        Secret(params.secret.get_secret_value()),
        key_id=params.key_id,
        label=params.label,
        make_active=params.make_active,
    )
    return AuthSetResult(key=key)


async def auth_list(context: Context, params: AuthListParams) -> AuthListResult:
    """Handle `auth/list`."""
    return AuthListResult(keys=context.app.keys.list(params.provider_id))


async def auth_remove(context: Context, params: AuthRemoveParams) -> Empty:
    """Handle `auth/remove`."""
    await context.app.keys.remove(params.provider_id, params.key_id)
    return Empty()


HANDLERS = ((AUTH_SET, auth_set), (AUTH_LIST, auth_list), (AUTH_REMOVE, auth_remove))
