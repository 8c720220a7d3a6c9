"""The simulated provider's models, in the shape of FastRouter's `GET /models`.

The ids look like real ones; limits, prices and dates are invented round numbers.
"""

from dataclasses import dataclass
from decimal import Decimal

from trunkline_protocol.base import JsonObject

_TOOLS = ("max_tokens", "temperature", "top_p", "stop", "tools", "tool_choice", "response_format")
_THINKS = (*_TOOLS, "reasoning", "include_reasoning")
_PLAIN = ("max_tokens", "temperature", "top_p", "stop")
_CREATED = 1_750_000_000
"""Unix seconds; the same for all, there is nothing to learn from it."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One row. Prices are text, USD per token, exactly as they travel."""

    model_id: str
    name: str
    prompt: str
    completion: str
    context: int
    max_completion: int
    supported: tuple[str, ...] = _TOOLS
    inputs: tuple[str, ...] = ("text",)
    outputs: tuple[str, ...] = ("text",)
    image: str = "0"
    is_active: bool = True

    @property
    def vendor(self) -> str:
        """Who made it: the part of the id before the slash."""
        return self.model_id.partition("/")[0]

    @property
    def can_chat(self) -> bool:
        """Whether chat completions may name it."""
        return self.is_active and "text" in self.outputs

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """The price of one request in USD."""
        return Decimal(self.prompt) * prompt_tokens + Decimal(self.completion) * completion_tokens

    def to_json(self) -> JsonObject:
        """The entry of the list."""
        return {
            "id": self.model_id,
            "name": self.name,
            "object": "model",
            "created": _CREATED,
            "owned_by": self.vendor,
            "description": f"{self.name}, simulated.",
            "context_length": self.context,
            "max_completion_tokens": self.max_completion,
            "pricing": {
                "prompt": self.prompt,
                "completion": self.completion,
                "image": self.image,
                "request": "0",
            },
            "architecture": {
                "input_modalities": list(self.inputs),
                "output_modalities": list(self.outputs),
            },
            "supported_parameters": list(self.supported),
            "top_provider": {"max_completion_tokens": self.max_completion},
            "is_active": self.is_active,
        }


_SEES = ("text", "image")
_READS = ("text", "image", "file")

MODELS = (
    ListedModel(
        "anthropic/claude-opus-4.1",
        "Anthropic: Claude Opus 4.1",
        "0.00001",
        "0.00005",
        200_000,
        32_000,
        _THINKS,
        _READS,
    ),
    ListedModel(
        "anthropic/claude-sonnet-4",
        "Anthropic: Claude Sonnet 4",
        "0.000002",
        "0.00001",
        200_000,
        64_000,
        _THINKS,
        _READS,
    ),
    ListedModel(
        "deepseek/deepseek-r1",
        "DeepSeek: R1",
        "0.0000005",
        "0.000002",
        128_000,
        32_000,
        (*_PLAIN, "reasoning", "include_reasoning"),
    ),
    ListedModel(
        "google/gemini-2.5-flash",
        "Google: Gemini 2.5 Flash",
        "0.0000002",
        "0.000002",
        1_000_000,
        64_000,
        _THINKS,
        _READS,
    ),
    ListedModel(
        "meta-llama/llama-3.3-70b",
        "Meta: Llama 3.3 70B",
        "0.0000001",
        "0.0000004",
        128_000,
        16_000,
    ),
    ListedModel(
        "mistralai/mistral-small",
        "Mistral: Small",
        "0.0000001",
        "0.0000003",
        128_000,
        16_000,
        inputs=_SEES,
    ),
    ListedModel(
        "moonshotai/kimi-k2",
        "Moonshot: Kimi K2",
        "0.0000005",
        "0.0000025",
        128_000,
        32_000,
    ),
    ListedModel(
        "openai/gpt-5",
        "OpenAI: GPT-5",
        "0.000001",
        "0.000008",
        400_000,
        128_000,
        _THINKS,
        _SEES,
    ),
    ListedModel(
        "openai/gpt-5-mini",
        "OpenAI: GPT-5 mini",
        "0.0000002",
        "0.0000016",
        400_000,
        128_000,
        _THINKS,
        _SEES,
    ),
    ListedModel(
        "sarvam/small-talk",
        "Sarvam: Small Talk",
        "0.00000005",
        "0.0000001",
        32_000,
        4_000,
        _PLAIN,
    ),
    ListedModel(
        "black-forest-labs/flux-round",
        "Black Forest Labs: FLUX Round",
        "0",
        "0",
        0,
        0,
        (),
        outputs=("image",),
        image="0.04",
    ),
    ListedModel(
        "openai/gpt-3.5-turbo",
        "OpenAI: GPT-3.5 Turbo",
        "0.0000005",
        "0.0000015",
        16_000,
        4_000,
        is_active=False,
    ),
)
"""Ten that chat, one that paints, one that has been switched off."""


def find(model_id: str) -> ListedModel | None:
    """The model with this id that chat completions may name."""
    return next((model for model in MODELS if model.model_id == model_id and model.can_chat), None)


def listing() -> JsonObject:
    """The body of `GET /models`."""
    return {"object": "list", "data": [model.to_json() for model in MODELS]}
