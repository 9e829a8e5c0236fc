"""What the page's tabs and its HTTP routes work with. Made once, when the server starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from assistant.answers import Event
    from assistant.filters import Filters
    from assistant.library import Library


class Answering(Protocol):
    """What the page needs of `assistant.Assistant`."""

    def conversation(self, conversation_id: str | None = None) -> Any: ...

    def astream(
        self, question: str, *, filters: Mapping[str, Any] | Filters | None = None, conversation: Any = None
    ) -> AsyncIterator[Event]: ...


def nobody(request: HTTPConnection) -> str | None:
    """The user where there are no users."""
    return None


def hook(name: str) -> Any:
    """A package that the page may not import, by its entry point in `ibid.hooks`: `ingest` is `ingest.add`, `evals`
    the command. Raises InputError where it is not installed.
    """
    from assistant.cli.hooks import load

    return load(name)


@dataclass(frozen=True, slots=True)
class Services:
    """The library, who answers from it, and who asks.

    `user` names the user behind a request, None where anyone at this machine may ask: conversations of one user are
    not shown to another. `hook` loads what `assistant` does not hold.
    """

    library: Library
    assistant: Answering
    examples: tuple[str, ...] = ()  # questions to click on an empty page
    user: Callable[[HTTPConnection], str | None] = nobody
    hook: Callable[[str], Any] = hook

    def papers(self) -> int:
        """How many papers there are now."""
        return self.library.count()
