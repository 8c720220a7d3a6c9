"""Whether a provider says that the conversation is too long for the model, and the sizes it names.

The wordings are those of many providers and servers; none has a code for it that all others share.
"""

import re
from dataclasses import dataclass

from trunkline.wire.json_values import number_in
from trunkline_protocol.base import JsonObject

_PHRASES = (
    r"(?:prompt|input|conversation|messages|request) (?:is|are) too long",
    r"prompt too long",
    r"prompt exceeds max length",
    r"(?:input|prompt)[^.]{0,30} is longer than",
    r"(?:exceed(?:s|ed)?|greater than|larger than)[^.]{0,30} (?:context|prompt) (?:window|size|length|limit)",
    r"exceeded model token limit",
    r"context[ _](?:window|length|limit|size)[^.]{0,20}[ _]exceed",
    r"input token count.{0,40} (?:exceeds the maximum|but model only supports)",
    r"prompt token count of \d+ exceeds",
    r"input tokens exceed",
    r"maximum (?:(?:prompt|context|input|model)|(?:supported )?sequence) length",
    r"exceeds?[^.]{0,30} (?:max_model_len|model limit)\b",
    r"context length (?:is|of) only",
    r"too large for model with \d",
    r"reduce the length of (?:the |your )?(?:messages|prompt|input)",
    r"too many (?:input |prompt )?tokens(?!,? (?:per|please wait))",
    r"range of input length should be",
    r"`inputs` tokens \+",
)
_WORDING = re.compile("|".join(_PHRASES), re.IGNORECASE | re.DOTALL)
_NUMBER = r"\d[\d,_]{0,15}"
_SIZES = tuple(
    re.compile(
        pattern.replace("LIMIT", f"(?P<limit>{_NUMBER})").replace("ACTUAL", f"(?P<actual>{_NUMBER})"),
        re.IGNORECASE | re.DOTALL,
    )
    for pattern in (
        # Anthropic; Fireworks
        r"too long:? ACTUAL tokens? ?> ?LIMIT",
        r"exceed context limit: ACTUAL \+ (?P<more>\d+) > LIMIT",
        r"too long: ACTUAL,? .{0,40}length: LIMIT",
        # Google; llama.cpp; GitHub Copilot; Cloudflare
        r"token count \(ACTUAL\).{0,60}?\(LIMIT\)",
        r"token count of ACTUAL exceeds.{0,40}?LIMIT",
        r"token count is ACTUAL but.{0,40}?LIMIT",
        r"\(ACTUAL tokens?\).{0,60}?\(LIMIT tokens?\)",
        r"\(ACTUAL\) exceed.{0,60}?\(LIMIT\)",
        # Cerebras; vLLM's engine; NVIDIA
        r"length is ACTUAL while limit is LIMIT",
        r"prompt length ACTUAL exceeds the max_model_len LIMIT",
        r"prompt is ACTUAL tokens long.{0,160}?sequence length is (?:just )?LIMIT",
        # Mistral; Cohere; Moonshot; vLLM, old and new; Text Generation Inference
        r"contains ACTUAL tokens.{0,60}?with LIMIT",
        r"cannot exceed LIMIT - received ACTUAL",
        r"token limit: LIMIT \(requested: ACTUAL\)",
        r"\(length ACTUAL\) is longer than.{0,40}?LIMIT",
        r"passed ACTUAL input tokens.{0,120}?context length is only LIMIT",
        r"must be <= LIMIT\. given: ACTUAL",
        r"max input tokens: LIMIT.{0,40}?count: ACTUAL",
        # OpenAI and whoever speaks like it; xAI; LM Studio
        r"length (?:is|of) LIMIT.{0,80}?(?:resulted in|requested|requested about|contains) ACTUAL tokens",
        r"first ACTUAL tokens.{0,100}?context length of only LIMIT",
        r"configured limit of LIMIT.{0,60}?resulted in ACTUAL",
        r"exceeds? the maximum number of tokens allowed \(?LIMIT",
        r"(?:context|prompt|input|model) (?:length|limit|window) (?:is|of) (?:only )?LIMIT",
        r"range of input length should be \[\d+, ?LIMIT\]",
        r"limit of LIMIT (?:input |prompt )?tokens",
        r"exceed model limit \(LIMIT tokens\)",
        r"too large for.{0,60}?max size: LIMIT tokens",
        r"LIMIT maximum context length",
    )
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a provider says of sizes, in tokens."""

    limit: int | None = None
    """How much the model takes."""
    actual: int | None = None
    """How much the request was, with the room for the answer where the provider counts it in."""


def says_too_long(message: str) -> bool:
    """Whether the words mean that the conversation is too long."""
    return _WORDING.search(message) is not None


def sizes(message: str, error: JsonObject) -> Sizes:
    """The sizes in an error that says so: llama.cpp's own members, or those in its words."""
    limit, actual = _count(error.get("n_ctx")), _count(error.get("n_prompt_tokens"))
    if limit is not None:
        return Sizes(limit, actual)
    found = next((match for pattern in _SIZES if (match := pattern.search(message))), None)
    if found is None:
        return Sizes()
    numbers = {name: _number(text) for name, text in found.groupdict().items() if text}
    actual = numbers.get("actual")
    return Sizes(numbers.get("limit"), None if actual is None else actual + numbers.get("more", 0))


def _count(value: object) -> int | None:
    number = number_in(value)
    return int(number) if number is not None and number > 0 else None


def _number(text: str) -> int:
    return int(text.replace(",", "").replace("_", ""))
