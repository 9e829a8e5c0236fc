"""A model's server in a process of its own: started when first needed, seen to be well, ended with this process."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import urllib.request
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from assistant.errors import ModelUnavailable, SettingsError

CONTEXT = 4096  # tokens: instructions, 350 of evidence, a question and an answer need under 1,000
MOST_TOKENS = 220  # of an answer: some twenty seconds on two cores
_START_S = 180.0
_HEALTH_S = 5.0
_MOST_THREADS = 8
_INSTALL = "pip install 'ibid-papers[local]'"


@dataclass(frozen=True, slots=True)
class Job:
    """What is served; equal jobs share one server in a process."""

    name: str
    path: Path
    threads: int
    runtime: str = "assistant.local_server"  # the module that is run


def cores() -> int:
    """Cores that this process may use, up to eight."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_THREADS)


def require_runtime() -> None:
    """Raises SettingsError when the runtime is not installed."""
    if find_spec("xllamacpp") is None:
        raise SettingsError(f"a local model needs the package xllamacpp, which is not installed: {_INSTALL}")


class LocalServer:
    """One server. `address()` starts it when it is not running, so a crash costs one answer and not the chat."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._port = 0
        self.key = ""

    def address(self) -> str:
        """The base URL of a server that is well; blocks while it loads. Raises ModelUnavailable or SettingsError."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            return f"http://127.0.0.1:{self._port}/v1"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    def died(self) -> str | None:
        """How the process ended, when it did."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"{how}{' (out of memory?)' if code == -9 else ''}"

    def well(self) -> bool:
        """Whether the server says so itself, within seconds."""
        if not self.running:
            return False
        try:
            with self._open("/health", None) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def tokens(self, text: str) -> int | None:
        """How many tokens the model reads `text` as; None where its server does not say."""
        try:
            with self._open("/tokenize", {"content": text}) as answer:
                return len(json.load(answer)["tokens"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def _open(self, path: str, body: dict[str, object] | None) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", content, headers)
        return opener.open(asked, timeout=_HEALTH_S)

    def stop(self) -> None:
        """Ends the process; a later `address()` starts another."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        if self.job.runtime == "assistant.local_server":
            require_runtime()
        self._end()
        self.key = secrets.token_urlsafe(24)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", self.job.runtime],  # -P: nothing is imported from the working folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C ends an answer, not the model
            env={**os.environ, "OMP_WAIT_POLICY": "passive", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._process = process
        job = {"model": str(self.job.path), "name": self.job.name, "key": self.key, "context": CONTEXT}
        told = self._asked(process, {**job, "threads": self.job.threads, "most_tokens": MOST_TOKENS})
        if "port" not in told:
            reason = str(told.get("error") or self.died() or "it said nothing in time")
            last = self._last_words()
            self._end()
            raise ModelUnavailable(
                f"local model {self.job.name!r} did not start: {reason}{f' ({last})' if last else ''}; "
                "check its file with: ibid model status --check"
            )
        self._port = int(str(told["port"]))

    def _asked(self, process: subprocess.Popen[str], job: dict[str, object]) -> dict[str, object]:
        """The child's first line; nothing when it ends, or takes too long and is ended."""
        watch = threading.Timer(_START_S, process.kill)
        watch.daemon = True
        watch.start()
        try:
            if process.stdin is None or process.stdout is None:  # pragma: no cover
                return {}
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                process.wait(timeout=10)
            found = json.loads(line) if line else {}
            return found if isinstance(found, dict) else {}
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return {}
        finally:
            watch.cancel()

    def _last_words(self) -> str:
        """The first error line of the runtime's log, where the cause stands."""
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = self._log.read(20_000).decode("utf-8", "replace").splitlines()
        told = next((line for line in lines if "error" in line.casefold()), lines[-1] if lines else "")
        return " ".join(told.split())[-200:]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):  # it is gone already
                        stream.close()
            try:
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None


@cache
def server(job: Job) -> LocalServer:
    """The process's one server for `job`, not started yet; ended when this process ends."""
    made = LocalServer(job)
    atexit.register(made.stop)
    return made
