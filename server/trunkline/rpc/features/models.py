"""model/*."""

from trunkline.rpc.features.context import Context
from trunkline_protocol.models import MODEL_LIST, ModelListParams, ModelListResult


async def model_list(context: Context, params: ModelListParams) -> ModelListResult:
    """Handle `model/list`."""
    return await context.app.directory.list_models(params)


HANDLERS = ((MODEL_LIST, model_list),)
