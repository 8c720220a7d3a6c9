"""What MCP servers say, in the words of this protocol: their tools, and the results of calls."""

import hashlib
import re
from typing import TYPE_CHECKING

from pydantic_core import to_json

from trunkline.tools.output import bounded_output
from trunkline.tools.toolbox import ToolOutput
from trunkline_protocol.chat import Tool
from trunkline_protocol.messages import MediaPart, TextPart

if TYPE_CHECKING:
    import mcp_types

_LONGEST_NAME = 64
"""Providers take no longer name of a tool, and of characters only these."""
_OTHER_CHARACTERS = r"[^A-Za-z0-9_-]"


def tool_name(server: str, tool: str) -> str:
    """The name for models: both names as far as providers take them, and another one for every tool."""
    name = re.sub(_OTHER_CHARACTERS, "_", f"{server}_{tool}")
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(f"{server}\0{tool}".encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 9]}_{digest}"


def tool_of(server: str, tool: "mcp_types.Tool") -> Tool:
    """A server's tool as models are told of it."""
    return Tool(
        name=tool_name(server, tool.name), description=tool.description, input_schema=tool.input_schema
    )


def output_of(result: "mcp_types.CallToolResult") -> ToolOutput:
    """The result of a call; what is too long is cut with a marker."""
    parts = [_part(block) for block in result.content] or _structured(result)
    return bounded_output(parts or [TextPart(text="(no output)")], is_error=result.is_error)


def _structured(result: "mcp_types.CallToolResult") -> list[TextPart | MediaPart]:
    if result.structured_content is None:
        return []
    return [TextPart(text=to_json(result.structured_content).decode())]


def _part(block: "mcp_types.ContentBlock") -> TextPart | MediaPart:
    match block.type:
        case "text":
            return TextPart(text=block.text)
        case "image" | "audio":
            return _media(block.type, block.mime_type, block.data)
        case "resource_link":
            return TextPart(text=f"{block.name}: {block.uri}")
        case "resource":
            resource = block.resource
            text = getattr(resource, "text", None)
            if isinstance(text, str):
                return TextPart(text=f"{resource.uri}\n{text}")
            return _media(
                "file", resource.mime_type or "application/octet-stream", getattr(resource, "blob", "")
            )


def _media(kind: str, mime_type: str, data: str) -> TextPart | MediaPart:
    return MediaPart.model_validate({"type": kind, "mimeType": mime_type, "data": data})
