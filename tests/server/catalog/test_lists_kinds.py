import pytest

from trunkline.catalog.lists.kinds import is_chat_id

CHAT = [
    "gpt-5.2", "gpt-4o-audio-preview", "gpt-5-codex", "o4-mini", "chatgpt-4o-latest", "computer-use-preview",
    "o3-deep-research", "claude-opus-5", "gemini-3.6-flash", "gemma-4-31b-it", "grok-4-fast", "deepseek-chat",
    "mistral-large-latest", "pixtral-12b", "voxtral-mini-2507", "codestral-latest", "kimi-k2-instruct",
    "meta-llama/Llama-4-Scout-17B-16E-Instruct", "Qwen/Qwen3-VL-235B", "qwen2.5-coder:7b", "openai/gpt-oss-120b",
    "llava", "acme/guardrail-designer", "imagery-7b", "embedded-systems-coder", "deepseek-ocr", "",
]  # fmt: skip
NOT_CHAT = [
    "text-embedding-3-small", "text-embedding-ada-002", "mistral-embed", "codestral-embed-2505",
    "nomic-embed-text:latest", "BAAI/bge-m3", "intfloat/multilingual-e5-large-instruct", "all-minilm",
    "togethercomputer/m2-bert-80M-8k-retrieval", "voyage-3", "jina-embeddings-v3",
    "cohere/rerank-v3.5", "Salesforce/Llama-Rank-reranker",
    "omni-moderation-latest", "meta-llama/llama-guard-4-12b", "openai/gpt-oss-safeguard-20b",
    "whisper-large-v3-turbo", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize",
    "voxtral-mini-transcribe-2507",
    "tts-1-hd", "gpt-4o-mini-tts", "playai-tts-arabic", "canopylabs/orpheus-3b", "lyria-3-pro-preview",
    "dall-e-3", "gpt-image-1", "chatgpt-image-latest", "grok-2-image-1212", "grok-imagine-image",
    "black-forest-labs/FLUX.1-schnell", "stable-diffusion-xl", "imagen-4.0-generate-001", "nano-banana-pro",
    "sora-2", "veo-3.1-generate-preview", "wan-v2.6-t2v", "bytedance/seedream-4.0", "elevenlabs-v3", "gpt-realtime-mini", "gpt-4o-realtime-preview",
    "babbage-002", "davinci-002", "gpt-3.5-turbo-instruct", "gpt-3.5-turbo-instruct-0914",
    "mistral-ocr-latest", "gemini-2.5-flash-native-audio-latest", "aqa",
]  # fmt: skip


@pytest.mark.parametrize("model_id", CHAT)
def test_chat_models(model_id: str) -> None:
    assert is_chat_id(model_id)


@pytest.mark.parametrize("model_id", NOT_CHAT)
def test_models_for_something_else(model_id: str) -> None:
    assert not is_chat_id(model_id)
