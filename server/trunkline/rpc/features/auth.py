"""auth/*."""

from trunkline.rpc.features.context import Context
from trunkline.secrets import Secret
from trunkline_protocol.auth import (
    AUTH_CANCEL_LOGIN,
    AUTH_LIST,
    AUTH_LOGIN,
    AUTH_REMOVE,
    AUTH_SELECT,
    AUTH_SET,
    AUTH_SUBMIT_CODE,
    AUTH_VERIFY,
    AuthCancelLoginParams,
    AuthListParams,
    AuthListResult,
    AuthLoginParams,
    AuthLoginResult,
    AuthRemoveParams,
    AuthSelectParams,
    AuthSelectResult,
    AuthSetParams,
    AuthSetResult,
    AuthSubmitCodeParams,
    AuthVerifyParams,
    AuthVerifyResult,
)
from trunkline_protocol.base import Empty


async def auth_set(context: Context, params: AuthSetParams) -> AuthSetResult:
    """Handle `auth/set`."""
    return await context.app.keys.set(
        params.provider_id,
        Secret(params.secret.get_secret_value()),
        key_id=params.key_id,
        label=params.label,
        make_active=params.make_active,
        verify=params.verify,
    )


async def auth_list(context: Context, params: AuthListParams) -> AuthListResult:
    """Handle `auth/list`."""
    return AuthListResult(keys=context.app.keys.list(params.provider_id))


async def auth_remove(context: Context, params: AuthRemoveParams) -> Empty:
    """Handle `auth/remove`."""
    await context.app.keys.remove(params.provider_id, params.key_id)
    return Empty()


async def auth_select(context: Context, params: AuthSelectParams) -> AuthSelectResult:
    """Handle `auth/select`."""
    return AuthSelectResult(key=await context.app.keys.select(params.provider_id, params.key_id))


async def auth_verify(context: Context, params: AuthVerifyParams) -> AuthVerifyResult:
    """Handle `auth/verify`."""
    return await context.app.keys.verify(params.provider_id, params.key_id)


async def auth_login(context: Context, params: AuthLoginParams) -> AuthLoginResult:
    """Handle `auth/login`. Where the editor does not open the page, the answer has its address."""
    return await context.app.logins.login(params, context.open_page)


async def auth_submit_code(context: Context, params: AuthSubmitCodeParams) -> Empty:
    """Handle `auth/submitCode`."""
    context.app.logins.submit_code(params.login_id, Secret(params.code.get_secret_value()))
    return Empty()


async def auth_cancel_login(context: Context, params: AuthCancelLoginParams) -> Empty:
    """Handle `auth/cancelLogin`."""
    await context.app.logins.cancel(params.login_id)
    return Empty()


HANDLERS = (
    (AUTH_SET, auth_set),
    (AUTH_LIST, auth_list),
    (AUTH_REMOVE, auth_remove),
    (AUTH_SELECT, auth_select),
    (AUTH_VERIFY, auth_verify),
    (AUTH_LOGIN, auth_login),
    (AUTH_SUBMIT_CODE, auth_submit_code),
    (AUTH_CANCEL_LOGIN, auth_cancel_login),
)
