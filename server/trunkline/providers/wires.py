"""Which wire format a provider or model speaks, told by models.dev's name of a client library."""

from trunkline_protocol.providers import ApiType

_BY_LIBRARY: dict[str, ApiType] = {
    "@ai-sdk/openai-compatible": "openai-chat",
    "@openrouter/ai-sdk-provider": "openrouter",
    "@ai-sdk/openai": "openai-responses",
    "@ai-sdk/azure": "openai-responses",
    "@ai-sdk/anthropic": "anthropic",
    "@ai-sdk/google": "gemini",
    # These have formats of their own, and an endpoint that speaks chat completions beside them.
    "@aihubmix/ai-sdk-provider": "openai-chat",
    "@ai-sdk/cerebras": "openai-chat",
    "@ai-sdk/cohere": "openai-chat",
    "@ai-sdk/deepinfra": "openai-chat",
    "@ai-sdk/gateway": "openai-chat",
    "@ai-sdk/groq": "openai-chat",
    "@ai-sdk/mistral": "openai-chat",
    "@ai-sdk/perplexity": "openai-chat",
    "@ai-sdk/togetherai": "openai-chat",
    "@ai-sdk/vercel": "openai-chat",
    "@ai-sdk/xai": "openai-chat",
    "ai-gateway-provider": "openai-chat",
    "venice-ai-sdk-provider": "openai-chat",
    # Not spoken here yet.
    "@ai-sdk/amazon-bedrock": "bedrock",
    "@ai-sdk/google-vertex": "vertex",
    "@ai-sdk/google-vertex/anthropic": "vertex-anthropic",
    "@jerome-benoit/sap-ai-provider-v2": "sap-ai-core",
    "gitlab-ai-provider": "gitlab",
    "merge-gateway-ai-sdk-provider": "merge-gateway",
}

_SHAPES: dict[str, ApiType] = {"completions": "openai-chat", "responses": "openai-responses"}
_SHAPED = frozenset({"@ai-sdk/openai", "@ai-sdk/openai-compatible", "@ai-sdk/azure"})
"""Libraries that speak two of OpenAI's formats; models.dev's `shape` says which."""


def api_type_of(library: str, shape: str | None = None) -> ApiType:
    """The wire format behind `library`; a library that nobody knows here stands for itself."""
    if library in _SHAPED and shape in _SHAPES:
        return _SHAPES[shape]
    return _BY_LIBRARY.get(library, library)
