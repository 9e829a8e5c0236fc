"""A real Chroma server for tests: `chroma run` of the installed package, on a free port of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

_PATIENCE_S = 60  # of a busy machine


class ChromaRunner:
    """Started with its files in `folder`; may be stopped and started again at the same port."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder.with_name(folder.name + ".log")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Returns when it answers; fails with what it said when it does not."""
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1"]
        # No telemetry is there to be turned off: under strace `chroma run` 1.5.9 connects to nobody.
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), "--path", str(self.folder)],
                stdout=log,
                stderr=log,
                env={**os.environ, "NO_COLOR": "1"},
            )
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"the Chroma server did not come up: {self.log.read_text(errors='replace')[-3000:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """As `kill -9` does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def collections(self) -> list[str]:
        """The names of all that the server holds."""
        path = "/api/v2/tenants/default_tenant/databases/default_database/collections"
        return sorted(found["name"] for found in httpx.get(self.url + path, trust_env=False).json())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
