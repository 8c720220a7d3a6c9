"""A tool call out of the text that a model wrote as its arguments."""

from trunkline.wire.json_values import object_in, parse_json
from trunkline_protocol.messages import ProviderData, ToolCallPart


def tool_call_part(
    call_id: str, name: str, text: str, provider_data: ProviderData | None = None
) -> ToolCallPart:
    """The call with its arguments parsed. Nothing is `{}`, and what is no JSON object stays text."""
    text = text.strip()
    try:
        arguments = parse_json(text or "{}")
    except ValueError:
        arguments = None
    is_object = isinstance(arguments, dict)
    return ToolCallPart(
        call_id=call_id,
        name=name,
        arguments=object_in(arguments),
        arguments_text=None if is_object else text,
        provider_data=provider_data,
    )
