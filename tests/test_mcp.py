"""The official MCP client against `ibid mcp`, over standard input and output, and over streamable HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from assistant.engine import Assistant
from assistant.library import Library
from ingest import add
from tests.served import listening
from ui.mcp_server import application, build
from ui.server import Reach, Stop

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "How many combinations of system message snippets were assessed?"
READING = {"search_papers", "get_paper", "ask", "verify_claim", "export_bibliography"}
TOKEN = "a-token-of-some-length"


def _run(target: Any, steps: Callable[[Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with Client(target) as client:
            await steps(client)

    asyncio.run(whole())


def _process(folder: Path, *arguments: str) -> Any:
    command = ["-m", "assistant", "mcp", "--library", str(folder), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return stdio_client(StdioServerParameters(command=sys.executable, args=command, cwd=str(ROOT), env=environment))


def test_over_standard_input_and_output_the_tools_read(bundled_folder: Path, bundled: Library) -> None:
    async def steps(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == READING
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
        answer = (await client.call_tool("ask", {"question": QUESTION})).structured_content
        assert answer is not None
        assert "60 combinations" in answer["text"]
        for citation in answer["citations"]:
            arguments = {"reference": citation["paper"]["id"]}
            paper = (await client.call_tool("get_paper", arguments)).structured_content
            assert paper is not None
            assert paper["abstract"][citation["start"] : citation["end"]] == citation["quote"]
        found = (await client.call_tool("search_papers", {"question": "weight decay", "k": 2})).structured_content
        assert found is not None
        assert [hit["rank"] for hit in found["hits"]] == [1, 2]
        claim = {"claim": "We assess 70 combinations of system message snippets."}
        checked = (await client.call_tool("verify_claim", claim)).structured_content
        assert checked is not None
        assert checked["verdict"] in ("unsupported", "contradicted")
        exported = (
            await client.call_tool("export_bibliography", {"search": "weight decay", "limit": 1})
        ).structured_content
        assert exported is not None
        assert exported["text"].startswith("@")
        missing = await client.call_tool("get_paper", {"reference": "no such paper"})
        assert missing.is_error
        assert "no paper 'no such paper'" in str(missing.content)
        wrong = await client.call_tool("add_papers", {"papers": []})
        assert wrong.is_error

    _run(_process(bundled_folder), steps)
    assert bundled.count() == 59


def test_writing_is_offered_only_where_it_is_allowed(bundled_copy: Path) -> None:
    async def steps(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == READING | {"add_papers", "remove_paper"}
        paper = {"title": "Xylophones", "abstract": "We ground answers with xylophones.", "doi": "10.1234/x"}
        report = (await client.call_tool("add_papers", {"papers": [paper]})).structured_content
        assert report is not None
        assert report["added"] == 1
        removed = (await client.call_tool("remove_paper", {"reference": "10.1234/x"})).structured_content
        assert removed == {"removed": 1, "papers": 59}

    with Library.open(bundled_copy) as library:
        _run(build(library, Assistant(library), add), steps)


def test_over_http_it_answers_those_who_may_ask(bundled_copy: Path) -> None:
    with (
        Library.open(bundled_copy) as library,
        listening(application(build(library, Assistant(library)), Reach(token=TOKEN)), Stop()) as (address, _),
    ):
        assert httpx.post(f"{address}/mcp", json={}).status_code == 401
        foreign = {"authorization": f"Bearer {TOKEN}", "origin": "http://evil.example"}
        assert httpx.post(f"{address}/mcp", json={}, headers=foreign).status_code == 403

        async def whole() -> None:
            key = {"authorization": f"Bearer {TOKEN}"}
            async with (
                httpx2.AsyncClient(headers=key, timeout=60) as http,
                Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
            ):
                answer = (await client.call_tool("ask", {"question": QUESTION})).structured_content
                assert answer is not None
                assert answer["notes"] == []  # else it says why it left no record
                assert library.record(answer["record_id"]).question == QUESTION

        asyncio.run(whole())
