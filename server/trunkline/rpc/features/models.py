"""model/*."""

from trunkline.rpc.features.context import Context
from trunkline_protocol.models import (
    MODEL_GET,
    MODEL_LIST,
    ModelGetParams,
    ModelGetResult,
    ModelListParams,
    ModelListPart,
    ModelListResult,
)
from trunkline_protocol.tokens import MODEL_COUNT_TOKENS, ModelCountTokensParams, ModelCountTokensResult


async def model_list(context: Context, params: ModelListParams) -> ModelListResult:
    """Handle `model/list`."""
    token = params.partial_result_token
    if token is None:
        return await context.app.directory.list_models(params, context.settings.choices)

    async def report(part: ModelListPart) -> None:
        await context.outbox.progress(token, part)

    return await context.app.directory.list_models(params, context.settings.choices, report)


async def model_get(context: Context, params: ModelGetParams) -> ModelGetResult:
    """Handle `model/get`."""
    found = await context.app.directory.find(params.model)
    return ModelGetResult(model=found.info)


async def model_count_tokens(context: Context, params: ModelCountTokensParams) -> ModelCountTokensResult:
    """Handle `model/countTokens`."""
    return await context.app.token_counts.count(params)


HANDLERS = (
    (MODEL_LIST, model_list),
    (MODEL_GET, model_get),
    (MODEL_COUNT_TOKENS, model_count_tokens),
)
