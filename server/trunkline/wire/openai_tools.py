"""What the two formats of OpenAI have in common about tools: members of the body, and when there are none."""

from collections.abc import Callable

from trunkline.wire.substitutes import dropped
from trunkline_protocol.base import JsonObject
from trunkline_protocol.chat import ChatStreamParams, Notice, Tool, ToolChoice


def tool_members(
    params: ChatStreamParams,
    notices: list[Notice],
    *,
    tool: Callable[[Tool], JsonObject],
    choice: Callable[[ToolChoice | None], str | JsonObject | None],
) -> JsonObject:
    """The tools and how to call them; most endpoints refuse such members where there are no tools."""
    if params.tools:
        return {
            "tools": [tool(one) for one in params.tools],
            "tool_choice": choice(params.tool_choice),
            "parallel_tool_calls": params.options.parallel_tool_calls,
        }
    if params.tool_choice not in {None, "auto", "none"}:
        dropped("toolChoice", "there are no tools", notices)
    return {}
