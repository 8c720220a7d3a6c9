"""The built-in providers: data only. Adding an OpenAI-compatible provider is one row here.

Needed for providers whose entry in the offline catalogue does not say how to reach them, and for those of
which more is known than it says. All others come from the catalogue by themselves (see `registry`). The base
URLs are those of the OpenAI-compatible endpoints, which several of these offer beside their own format.
"""

from trunkline.providers.spec import ProviderSpec

BUILTIN: tuple[ProviderSpec, ...] = (
    ProviderSpec(
        provider_id="anthropic",
        name="Anthropic",
        base_url="https://api.anthropic.com/v1",
        env_vars=("ANTHROPIC_API_KEY",),
        docs_url="https://docs.anthropic.com/en/api/openai-sdk",
        popular=0,
    ),
    ProviderSpec(
        provider_id="openai",
        name="OpenAI",
        base_url="https://api.openai.com/v1",
        env_vars=("OPENAI_API_KEY",),
        docs_url="https://platform.openai.com/docs/models",
        popular=1,
    ),
    ProviderSpec(
        provider_id="google",
        name="Google",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        env_vars=("GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY"),
        docs_url="https://ai.google.dev/gemini-api/docs/openai",
        popular=2,
    ),
    ProviderSpec(
        provider_id="openrouter",
        name="OpenRouter",
        api_type="openrouter",
        base_url="https://openrouter.ai/api/v1",
        env_vars=("OPENROUTER_API_KEY",),
        docs_url="https://openrouter.ai/docs",
        popular=3,
    ),
    ProviderSpec(
        provider_id="fastrouter",
        name="FastRouter",
        api_type="openrouter",
        base_url="https://go.fastrouter.ai/api/v1",
        env_vars=("FASTROUTER_API_KEY",),
        docs_url="https://docs.fastrouter.ai",
        popular=4,
        model_list="fastrouter",
    ),
    ProviderSpec(
        provider_id="aihubmix",
        name="AIHubMix",
        base_url="https://aihubmix.com/v1",
        env_vars=("AIHUBMIX_API_KEY",),
        docs_url="https://docs.aihubmix.com",
    ),
    ProviderSpec(
        provider_id="cerebras",
        name="Cerebras",
        base_url="https://api.cerebras.ai/v1",
        env_vars=("CEREBRAS_API_KEY",),
        docs_url="https://inference-docs.cerebras.ai/models/overview",
    ),
    ProviderSpec(
        provider_id="cohere",
        name="Cohere",
        base_url="https://api.cohere.ai/compatibility/v1",
        env_vars=("COHERE_API_KEY",),
        docs_url="https://docs.cohere.com/docs/compatibility-api",
    ),
    ProviderSpec(
        provider_id="deepinfra",
        name="Deep Infra",
        base_url="https://api.deepinfra.com/v1/openai",
        env_vars=("DEEPINFRA_API_KEY",),
        docs_url="https://deepinfra.com/models",
    ),
    ProviderSpec(
        provider_id="groq",
        name="Groq",
        base_url="https://api.groq.com/openai/v1",
        env_vars=("GROQ_API_KEY",),
        docs_url="https://console.groq.com/docs/models",
    ),
    ProviderSpec(
        provider_id="mistral",
        name="Mistral",
        base_url="https://api.mistral.ai/v1",
        env_vars=("MISTRAL_API_KEY",),
        docs_url="https://docs.mistral.ai/getting-started/models/",
    ),
    ProviderSpec(
        provider_id="perplexity",
        name="Perplexity",
        base_url="https://api.perplexity.ai",
        env_vars=("PERPLEXITY_API_KEY",),
        docs_url="https://docs.perplexity.ai",
    ),
    ProviderSpec(
        provider_id="togetherai",
        name="Together AI",
        base_url="https://api.together.xyz/v1",
        env_vars=("TOGETHER_API_KEY",),
        docs_url="https://docs.together.ai/docs/serverless-models",
    ),
    ProviderSpec(
        provider_id="v0",
        name="v0",
        base_url="https://api.v0.dev/v1",
        env_vars=("V0_API_KEY",),
        docs_url="https://v0.dev/docs/api",
    ),
    ProviderSpec(
        provider_id="venice",
        name="Venice AI",
        base_url="https://api.venice.ai/api/v1",
        env_vars=("VENICE_API_KEY",),
        docs_url="https://docs.venice.ai",
    ),
    ProviderSpec(
        provider_id="vercel",
        name="Vercel AI Gateway",
        base_url="https://ai-gateway.vercel.sh/v1",
        env_vars=("AI_GATEWAY_API_KEY",),
        docs_url="https://vercel.com/docs/ai-gateway",
    ),
    ProviderSpec(
        provider_id="xai",
        name="xAI",
        base_url="https://api.x.ai/v1",
        env_vars=("XAI_API_KEY",),
        docs_url="https://docs.x.ai/docs/models",
    ),
)
