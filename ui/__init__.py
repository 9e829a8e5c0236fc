"""The chat page in the browser."""

from __future__ import annotations

from pathlib import Path

__all__ = ["serve"]


def serve(library_path: Path | str | None, host: str = "127.0.0.1", port: int = 7860) -> None:
    """Serves the chat page over one library until interrupted, and prints its address.

    A taken `port` is named on stderr and the next free one used. Raises LibraryError when the library cannot be
    opened, and InputError when `host` has no free port or is not an address of this machine.
    """
    from ui.server import run

    run(library_path, host, port)
