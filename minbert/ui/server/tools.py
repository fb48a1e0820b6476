"""What agents are offered over MCP: four of the endpoints as tools, each answered in JSON.

The server is gradio's own. Left to itself it (6.31) offers every public endpoint, and writes the
answers in Python's notation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from gradio.mcp import GradioMCPServer

TOOLS = ("predict", "compare_pooling", "similarity_split", "explain")


def offer_tools(server: GradioMCPServer) -> None:
    """Leave a page's MCP server these tools alone, and let it answer in JSON."""

    def as_json(data: Iterable[object], root_url: str) -> list[Any]:  # noqa: ARG001 - of a file
        texts = (to_json(output, inf_nan_mode="null").decode() for output in data)
        return [server.types.TextContent(type="text", text=text) for text in texts]

    every = server.tool_to_endpoint.items()
    server.tool_to_endpoint = {tool: path for tool, path in every if path.strip("/") in TOOLS}
    server.postprocess_output_data = as_json  # type: ignore[method-assign] # no way to name another
