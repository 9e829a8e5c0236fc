"""A Chroma server: where it is, how it is asked, and whether it answers. No module here imports chromadb."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant.errors import IndexAway

if TYPE_CHECKING:
    from assistant.settings import Settings

_PORT = 8000  # of `chroma run`
_PATIENCE_S = 5.0  # for a server to say who it is
_CLOUD = ".trychroma.com"


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """A server's address and what it asks of a client. The token is neither shown nor written anywhere."""

    url: str
    token: str | None = field(default=None, repr=False)
    tenant: str = "default_tenant"
    database: str = "default_database"

    @classmethod
    def of(cls, settings: Settings) -> ChromaServer | None:
        """None means Chroma inside this process."""
        if settings.chroma_url is None:
            return None
        token = settings.chroma_token.get_secret_value() if settings.chroma_token else None
        return cls(settings.chroma_url, token, settings.chroma_tenant, settings.chroma_database)

    @classmethod
    def from_dict(cls, content: dict[str, Any] | None) -> ChromaServer | None:
        """From `to_dict`."""
        return None if content is None else cls(**content)

    def to_dict(self) -> dict[str, str | None]:
        """The token too: for a child process over its standard input, not for its arguments."""
        return asdict(self)

    @property
    def place(self) -> str:
        """What tells the databases of all servers apart."""
        usual = ChromaServer(self.url)
        if (self.tenant, self.database) == (usual.tenant, usual.database):
            return self.url
        return f"{self.url} {self.tenant}/{self.database}"

    @property
    def address(self) -> str:
        """The URL with its port, 8000 for http and 443 for https where none is given, and no slash at its end."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else _PORT)
        host = parts.hostname or "localhost"
        host = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{host}:{port}{parts.path}".rstrip("/")

    @property
    def port(self) -> int:
        return urlsplit(self.address).port or _PORT

    @property
    def secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def headers(self) -> dict[str, str]:
        """Chroma Cloud reads a header of its own; `chroma run` reads none, so a proxy before it does."""
        if self.token is None:
            return {}
        if (urlsplit(self.url).hostname or "").endswith(_CLOUD):
            return {"X-Chroma-Token": self.token}
        return {"Authorization": f"Bearer {self.token}"}

    def reach(self) -> None:
        """Raises IndexAway, in one line, unless a Chroma server that takes our token answers within seconds."""
        import httpx

        try:
            reply = httpx.get(f"{self.address}/api/v2/auth/identity", headers=self.headers, timeout=_PATIENCE_S)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise self.away(f"does not answer ({reason}); start it, or unset IBID_CHROMA_URL") from error
        if reply.status_code in (401, 403):
            raise self.away(f"refuses us ({reply.status_code}); set IBID_CHROMA_TOKEN")
        if reply.status_code >= 500:
            raise self.away(f"answers with an error of its own ({reply.status_code}); see its log")
        if reply.status_code != 200 or not _is_identity(reply):
            raise self.away(
                f"is no Chroma server of version 1 or later (it says {reply.status_code}); correct IBID_CHROMA_URL"
            )

    def away(self, what: str) -> IndexAway:
        return IndexAway(f"the vector index at {self.url!r} {what}")


def _is_identity(reply: Any) -> bool:
    try:
        content = reply.json()
    except ValueError:
        return False
    return isinstance(content, dict) and "tenant" in content
