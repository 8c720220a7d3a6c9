"""The built-in providers: data only. Adding an OpenAI-compatible provider is one row here.

Needed for providers whose entry in the offline catalogue does not say how to reach them, for those of which
more is known than it says (a live list, a key header, a rank), and for those it does not know. All others
come from the catalogue by themselves (see `registry`).
"""

from trunkline import __version__
from trunkline.providers.spec import ProviderSpec, SpecOption

POPULAR: tuple[ProviderSpec, ...] = (
    ProviderSpec(
        provider_id="kilo",
        name="Kilo Gateway",
        api_type="openrouter",
        base_url="https://api.kilo.ai/api/gateway",
        env_vars=("KILO_API_KEY",),
        docs_url="https://kilo.ai",
        popular=0,
        model_list="kilo",
        needs_key=False,
        anonymous_key="anonymous",
        headers={"X-KILOCODE-EDITORNAME": f"Trunkline/{__version__}"},
        options=(
            SpecOption(
                name="organization",
                setting="kilocodeOrganizationId",
                env_var="KILO_ORG_ID",
                header="X-KILOCODE-ORGANIZATIONID",
            ),
        ),
    ),
    ProviderSpec(
        provider_id="anthropic",
        name="Anthropic",
        api_type="anthropic",
        base_url="https://api.anthropic.com/v1",
        env_vars=("ANTHROPIC_API_KEY",),
        docs_url="https://docs.anthropic.com/en/docs/about-claude/models",
        popular=1,
        model_list="anthropic",
    ),
    ProviderSpec(
        provider_id="github-copilot",
        name="GitHub Copilot",
        base_url="https://api.githubcopilot.com",
        env_vars=("GITHUB_TOKEN",),
        docs_url="https://docs.github.com/en/copilot",
        popular=2,
    ),
    ProviderSpec(
        provider_id="openai",
        name="OpenAI",
        api_type="openai-responses",
        base_url="https://api.openai.com/v1",
        env_vars=("OPENAI_API_KEY",),
        docs_url="https://platform.openai.com/docs/models",
        popular=3,
        model_list="openai",
        options=(
            SpecOption(
                name="organization",
                setting="organization",
                env_var="OPENAI_ORG_ID",
                header="OpenAI-Organization",
            ),
            SpecOption(
                name="project", setting="project", env_var="OPENAI_PROJECT_ID", header="OpenAI-Project"
            ),
        ),
    ),
    ProviderSpec(
        provider_id="google",
        name="Google",
        api_type="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        env_vars=("GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY"),
        docs_url="https://ai.google.dev/gemini-api/docs/models",
        popular=4,
        model_list="gemini",
    ),
    ProviderSpec(
        provider_id="openrouter",
        name="OpenRouter",
        api_type="openrouter",
        base_url="https://openrouter.ai/api/v1",
        env_vars=("OPENROUTER_API_KEY",),
        docs_url="https://openrouter.ai/docs",
        popular=5,
        model_list="openrouter",
        key_check="/key",
        headers={"X-Title": "Trunkline"},
    ),
    ProviderSpec(
        provider_id="fastrouter",
        name="FastRouter",
        api_type="openrouter",
        base_url="https://go.fastrouter.ai/api/v1",
        env_vars=("FASTROUTER_API_KEY",),
        docs_url="https://docs.fastrouter.ai",
        popular=6,
        model_list="fastrouter",
    ),
)
"""In the order in which pickers show them: the one that users of Kilo and opencode know."""

LIVE: tuple[ProviderSpec, ...] = (
    ProviderSpec(
        provider_id="apertis",
        name="Apertis",
        base_url="https://api.apertis.ai/v1",
        env_vars=("APERTIS_API_KEY",),
        docs_url="https://docs.apertis.ai",
        model_list="apertis",
    ),
    ProviderSpec(
        provider_id="deepseek",
        name="DeepSeek",
        base_url="https://api.deepseek.com",
        env_vars=("DEEPSEEK_API_KEY",),
        docs_url="https://api-docs.deepseek.com/quick_start/pricing",
        model_list="openai",
    ),
    ProviderSpec(
        provider_id="groq",
        name="Groq",
        base_url="https://api.groq.com/openai/v1",
        env_vars=("GROQ_API_KEY",),
        docs_url="https://console.groq.com/docs/models",
        model_list="openai",
    ),
    ProviderSpec(
        provider_id="mistral",
        name="Mistral",
        base_url="https://api.mistral.ai/v1",
        env_vars=("MISTRAL_API_KEY",),
        docs_url="https://docs.mistral.ai/getting-started/models/",
        model_list="openai",
    ),
    ProviderSpec(
        provider_id="xai",
        name="xAI",
        base_url="https://api.x.ai/v1",
        env_vars=("XAI_API_KEY",),
        docs_url="https://docs.x.ai/docs/models",
        model_list="xai",
    ),
)
"""Providers whose own list is asked."""

LOCAL: tuple[ProviderSpec, ...] = (
    ProviderSpec(
        provider_id="llamacpp",
        name="llama.cpp",
        base_url="http://127.0.0.1:8080/v1",
        env_vars=("LLAMA_API_KEY",),
        docs_url="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        model_list="llamacpp",
        needs_key=False,
        is_local=True,
    ),
    ProviderSpec(
        provider_id="lmstudio",
        name="LM Studio",
        base_url="http://127.0.0.1:1234/v1",
        env_vars=("LMSTUDIO_API_KEY",),
        docs_url="https://lmstudio.ai/docs",
        model_list="lmstudio",
        needs_key=False,
        is_local=True,
    ),
    ProviderSpec(
        provider_id="ollama",
        name="Ollama",
        api_type="ollama",
        base_url="http://127.0.0.1:11434/v1",
        env_vars=(),
        docs_url="https://docs.ollama.com",
        model_list="ollama",
        needs_key=False,
        is_local=True,
    ),
    ProviderSpec(
        provider_id="vllm",
        name="vLLM",
        base_url="http://127.0.0.1:8000/v1",
        env_vars=("VLLM_API_KEY",),
        docs_url="https://docs.vllm.ai",
        model_list="vllm",
        needs_key=False,
        is_local=True,
    ),
)
"""Servers on the user's own machine, on the ports they use unless told otherwise."""

ADDRESSES: tuple[ProviderSpec, ...] = (
    ProviderSpec(
        provider_id="aihubmix",
        name="AIHubMix",
        base_url="https://aihubmix.com/v1",
        env_vars=("AIHUBMIX_API_KEY",),
        docs_url="https://docs.aihubmix.com",
    ),
    ProviderSpec(
        provider_id="azure",
        name="Azure",
        api_type="openai-responses",
        base_url="https://${AZURE_RESOURCE_NAME}.openai.azure.com/openai/v1",
        env_vars=("AZURE_API_KEY",),
        docs_url="https://learn.microsoft.com/en-us/azure/ai-services/openai/concepts/models",
        key_header="api-key",
    ),
    ProviderSpec(
        provider_id="azure-cognitive-services",
        name="Azure Cognitive Services",
        api_type="openai-responses",
        base_url="https://${AZURE_COGNITIVE_SERVICES_RESOURCE_NAME}.cognitiveservices.azure.com/openai/v1",
        env_vars=("AZURE_COGNITIVE_SERVICES_API_KEY",),
        docs_url="https://learn.microsoft.com/en-us/azure/ai-services/openai/concepts/models",
        key_header="api-key",
    ),
    ProviderSpec(
        provider_id="amazon-bedrock",
        name="Amazon Bedrock",
        api_type="bedrock",
        base_url="https://bedrock-runtime.${AWS_REGION}.amazonaws.com",
        env_vars=("AWS_BEARER_TOKEN_BEDROCK",),
        docs_url="https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html",
    ),
    ProviderSpec(
        provider_id="cerebras",
        name="Cerebras",
        base_url="https://api.cerebras.ai/v1",
        env_vars=("CEREBRAS_API_KEY",),
        docs_url="https://inference-docs.cerebras.ai/models/overview",
    ),
    ProviderSpec(
        provider_id="cloudflare-ai-gateway",
        name="Cloudflare AI Gateway",
        base_url=(
            "https://gateway.ai.cloudflare.com/v1/${CLOUDFLARE_ACCOUNT_ID}/${CLOUDFLARE_GATEWAY_ID}/compat"
        ),
        env_vars=("CLOUDFLARE_API_TOKEN",),
        docs_url="https://developers.cloudflare.com/ai-gateway/",
        key_header="cf-aig-authorization",
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
        provider_id="gitlab",
        name="GitLab Duo",
        api_type="gitlab",
        base_url="https://gitlab.com",
        env_vars=("GITLAB_TOKEN",),
        docs_url="https://docs.gitlab.com/user/duo_agent_platform/",
    ),
    ProviderSpec(
        provider_id="google-vertex",
        name="Vertex",
        api_type="vertex",
        base_url="https://${GOOGLE_VERTEX_LOCATION}-aiplatform.googleapis.com",
        env_vars=("GOOGLE_APPLICATION_CREDENTIALS",),
        docs_url="https://cloud.google.com/vertex-ai/generative-ai/docs/models",
    ),
    ProviderSpec(
        provider_id="google-vertex-anthropic",
        name="Vertex (Anthropic)",
        api_type="vertex-anthropic",
        base_url="https://${GOOGLE_VERTEX_LOCATION}-aiplatform.googleapis.com",
        env_vars=("GOOGLE_APPLICATION_CREDENTIALS",),
        docs_url="https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude",
    ),
    ProviderSpec(
        provider_id="merge-gateway",
        name="Merge Gateway",
        api_type="merge-gateway",
        base_url="https://api-gateway.merge.dev/v1/ai-sdk",
        env_vars=("MERGE_GATEWAY_API_KEY",),
        docs_url="https://docs.merge.dev/merge-gateway",
    ),
    ProviderSpec(
        provider_id="perplexity",
        name="Perplexity",
        base_url="https://api.perplexity.ai",
        env_vars=("PERPLEXITY_API_KEY",),
        docs_url="https://docs.perplexity.ai",
    ),
    ProviderSpec(
        provider_id="sap-ai-core",
        name="SAP AI Core",
        api_type="sap-ai-core",
        base_url=None,  # it stands in the service key
        env_vars=("AICORE_SERVICE_KEY",),
        docs_url="https://help.sap.com/docs/sap-ai-core",
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
)
"""Providers that the offline catalogue knows without an address that can be used here."""

BUILTIN: tuple[ProviderSpec, ...] = (*POPULAR, *LIVE, *LOCAL, *ADDRESSES)
