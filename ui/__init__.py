"""The chat page in the browser, and Ibid for programs over HTTP and MCP."""

from __future__ import annotations

from pathlib import Path

__all__ = ["serve"]


def serve(
    library_path: Path | str | None,
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    token: str | None = None,
    auth_file: Path | None = None,
    names: tuple[str, ...] = (),
    requests_per_minute: int | None = None,
) -> None:
    """Serves the page and the HTTP interface over one library until interrupted, and prints the address.

    `token` is what clients must present, `auth_file` has the users who may ask; beyond loopback one of them is needed.
    `names` are further host names that the server is reached by, `requests_per_minute` is what one client may ask.

    A taken `port` is named on stderr and the next free one used. Raises LibraryError when the library cannot be
    opened, SettingsError when anyone in a network could ask, and InputError when `host` has no free port or is not an
    address of this machine, or when `auth_file` cannot be read.
    """
    from ui.server import Reach, run

    run(library_path, Reach(host, port, token, auth_file, names, requests_per_minute))
