"""Which models a list names that no chat request makes sense with, told by their ids alone.

OpenAI's list, and every one after its example, holds speech, image and embedding models among the others and
says nothing but ids. The rule looks at whole words: of `gpt-4o-mini-tts` that is `tts`, while `guardrail` is
not `guard`. A model that answers with an image *and* text can only be told where a list says so; by its id
alone it counts as what its name says.
"""

import re

_WORD = re.compile(r"[a-z]+|\d+")

_NOT_CHAT = frozenset({
    "embed", "embedding", "embeddings", "embedder", "bge", "gte", "minilm", "bert", "colbert", "intfloat",
    "voyage", "rerank", "reranker",
    "moderation", "guard", "safeguard", "guardian", "classifier",  # judgements about a text
    "whisper", "transcribe", "transcription", "diarize", "asr", "stt",
    "tts", "speech", "elevenlabs", "orpheus", "playai", "kokoro", "sonic", "lyria", "music",
    "dalle", "image", "images", "imagen", "imagine", "flux", "sdxl", "banana", "ideogram", "recraft",
    "seedream",
    "sora", "veo", "video", "kling", "runway", "seedance", "wan", "wanx",
    "realtime",  # spoken to over another protocol
    "babbage", "davinci",  # the last completion models of OpenAI
    "aqa",
})  # fmt: skip
_NOT_CHAT_TOGETHER = (
    ("dall", "e"),
    ("gpt", "3", "5", "turbo", "instruct"),
    ("mistral", "ocr"),
    ("native", "audio"),
    ("stable", "diffusion"),
    ("text", "to"),  # text-to-image and its relatives
)


def is_chat_id(model_id: str) -> bool:
    """Whether a model with that id and nothing else known of it is taken for a chat model."""
    words = _WORD.findall(model_id.lower())
    if not _NOT_CHAT.isdisjoint(words):
        return False
    return not any(
        tuple(words[start : start + len(run)]) == run
        for run in _NOT_CHAT_TOGETHER
        for start in range(len(words))
    )
