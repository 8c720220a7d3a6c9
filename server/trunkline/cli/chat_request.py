"""Which model is asked on the command line, and with what besides the conversation."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trunkline.cli.terminal import workspace_choices
from trunkline.errors import TrunklineError
from trunkline_protocol.chat import ChatOptions, ChatStreamParams, ReasoningOptions
from trunkline_protocol.errors import ErrorCode
from trunkline_protocol.messages import Message, TextPart
from trunkline_protocol.models import ModelListParams

if TYPE_CHECKING:
    from trunkline.app import Application


@dataclass(frozen=True)
class Asking:
    """The options of `trunkline chat`."""

    model: str | None
    """None is the default one."""
    fallbacks: tuple[str, ...]
    key_id: str | None
    system: str | None
    effort: str | None

    async def params(self, app: "Application", messages: tuple[Message, ...]) -> ChatStreamParams:
        """The request that asks for the next message.

        Raises:
            TrunklineError: AUTH_MISSING, when no model was named and there is none to ask.
        """
        model = self.model or await default_model(app)
        system = (Message(role="system", content=(TextPart(text=self.system),)),) if self.system else ()
        reasoning = ReasoningOptions(effort=self.effort) if self.effort else None
        return ChatStreamParams(
            model=model,
            fallbacks=self.fallbacks,
            key_id=self.key_id,
            messages=(*system, *messages),
            options=ChatOptions(reasoning=reasoning),
        )


async def default_model(app: "Application") -> str:
    """The default model; servers on this machine are looked for when there is none otherwise.

    Raises:
        TrunklineError: AUTH_MISSING, when there is none.
    """
    choices = workspace_choices(app)
    model = app.directory.defaults(choices).model
    if model is None:
        local = (one.provider_id for one in app.registry.all() if one.spec.is_local and one.usable)
        await app.directory.list_models(ModelListParams(provider_ids=tuple(local)))
        model = app.directory.defaults(choices).model
    if model is None:
        raise TrunklineError(
            ErrorCode.AUTH_MISSING,
            "There is no model to ask: no provider has a key, and no server on this machine answers.",
            hint="Run `trunkline auth login fastrouter`, or name a model with `-m provider/model`.",
        )
    return model
