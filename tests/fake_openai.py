"""A real HTTP server on loopback that speaks OpenAI's chat protocol, well or badly, as a script says.

with FakeOpenAI(Script("PromptLadder helps [1].")) as server:
    settings = Settings(chat_model="fake", chat_base_url=server.base_url)
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

MODEL = "fake"

# What happens to a reply whose status is 200. `stall` goes silent and keeps the connection; `truncate` ends the
# stream properly for HTTP, but without a finish reason; `drop` closes the connection within a chunk; `garbage` sends
# an event that is not JSON; `html` answers with a page; `shapeless` sends JSON that is no completion; `length` says
# that the limit of tokens was reached.
Fault = Literal["stall", "truncate", "drop", "garbage", "html", "shapeless", "length"]


@dataclass(frozen=True)
class Script:
    """One reply. With `after` pieces sent, `fault` strikes; a `status` of 400 and more is sent at once."""

    text: str = ""
    status: int = 200
    error: Mapping[str, Any] | str = field(default_factory=lambda: {"message": "scripted failure"})
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    after: int = 0
    piece: int = 6  # characters an event
    pause: float = 0.0  # seconds between events
    words: Mapping[str, float] | None = (
        None  # log probabilities told for the first word of a reply that isn't streamed
    )


class FakeOpenAI:
    """Serves the scripts in turn, the last one again and again; `requests` are the bodies it got."""

    def __init__(self, *scripts: Script, key: str | None = None, obey: bool = False) -> None:
        self.scripts: Sequence[Script] = scripts
        self.key = key
        self.obey = obey
        self.requests: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.left = threading.Event()  # set when a client closed its connection before the reply's end
        self.released = threading.Event()  # lets stalled replies end when the server closes
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def next(self, request: dict[str, Any]) -> Script:
        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
        self.requests.append(request)
        self.times.append(time.monotonic())
        if self.obey and "say PWNED" in str(request["messages"]):
            return Script("PWNED.")
        return script

    def __enter__(self) -> FakeOpenAI:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    fake: FakeOpenAI
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._json(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]}, {})
        else:
            self._json(404, {"error": {"message": "not found"}}, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize":  # as llama.cpp's server has it; here a word is a token
            self._json(200, {"tokens": list(range(len(body["content"].split())))}, {})
        elif self.path != "/v1/chat/completions":
            self._json(404, {"error": {"message": "not found"}}, {})
        elif self.fake.key and self.headers.get("Authorization") != f"Bearer {self.fake.key}":
            self._json(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, {})
        elif body["model"] != MODEL:
            told = {"message": f"model '{body['model']}' not found", "code": "model_not_found"}
            self._json(404, {"error": told}, {})
        else:
            self._play(self.fake.next(body), body)

    def _play(self, script: Script, body: dict[str, Any]) -> None:
        if script.status != 200:
            self._json(script.status, {"error": script.error}, script.headers)
        elif script.fault == "html":
            self._send(200, b"<html><body>Welcome to the proxy</body></html>", "text/html", {})
        elif not body.get("stream"):
            self._json(200, _completion(script), {})
        else:
            try:
                self._stream(script, body)
            except ConnectionError:
                self.close_connection = True
                self.fake.left.set()

    def _stream(self, script: Script, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for sent, piece in enumerate(_pieces(script)):
            if script.fault and sent >= script.after and not self._strike(script.fault):
                return
            self._event(_delta({"content": piece}))
            time.sleep(script.pause)
        if script.fault in ("truncate", "drop", "stall") and not self._strike(script.fault):
            return
        self._event(_delta({}, finish="length" if script.fault == "length" else "stop"))
        if body.get("stream_options", {}).get("include_usage"):
            usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
            self._event({**_delta({}), "choices": [], "usage": usage})
        self._event("[DONE]")
        self._chunk(b"")

    def _strike(self, fault: Fault) -> bool:
        """Whether the reply goes on after the fault."""
        if fault == "stall":
            self.fake.released.wait(30)
            self.close_connection = True
            return False
        if fault == "truncate":
            self._chunk(b"")
            return False
        if fault == "drop":
            self.wfile.write(b"40\r\ndata: {")
            self.wfile.flush()
            self.close_connection = True
            return False
        if fault == "garbage":
            self._event("{not json")
        if fault == "shapeless":
            self._event({"id": "x", "object": "chat.completion.chunk", "choices": "none"})
        return True

    def _event(self, content: dict[str, Any] | str) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        self._chunk(f"data: {text}\n\n".encode())

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _json(self, status: int, content: dict[str, Any], headers: Mapping[str, str]) -> None:
        self._send(status, json.dumps(content).encode(), "application/json", headers)

    def _send(self, status: int, content: bytes, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _pieces(script: Script) -> Iterator[str]:
    for start in range(0, len(script.text), script.piece):
        yield script.text[start : start + script.piece]


def _delta(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}],
    }


def _completion(script: Script) -> dict[str, Any]:
    message = {"role": "assistant", "content": script.text}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    if script.words is not None:
        told = [{"token": word, "logprob": logprob, "bytes": None} for word, logprob in script.words.items()]
        choice["logprobs"] = {"content": [{"token": script.text, "logprob": -0.1, "top_logprobs": told}]}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
