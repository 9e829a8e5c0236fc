"""The assistant that answers on this server, which may be exchanged for one with other settings while it runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant import Assistant
    from assistant.answerability import Decision
    from assistant.answers import Event
    from assistant.filters import Filters
    from assistant.settings import Settings


class Running:
    """Answers as the latest assistant does. An answer that has begun ends as it began.

    Settings are kept in this process only: neither the library nor a file learns of a key.
    """

    def __init__(self, first: Assistant) -> None:
        self._now = first
        self.started = first.settings  # what the server was started with

    @property
    def settings(self) -> Settings:
        """What answers are made by now."""
        return self._now.settings

    def use(self, settings: Settings) -> None:
        """From now on answers by `settings`. Raises SettingsError when they name a chat model that cannot be built."""
        from assistant import Assistant, chat_model

        if settings.chat_model != "quotes":
            chat_model.connect(settings)  # opens no connection
        self._now = Assistant(self._now.library, settings=settings, selector=self._now.selector)

    def conversation(self, conversation_id: str | None = None) -> Any:
        return self._now.conversation(conversation_id)

    def astream(
        self,
        question: str,
        *,
        filters: Mapping[str, Any] | Filters | None = None,
        conversation: Any = None,
        user: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        return self._now.astream(question, filters=filters, conversation=conversation, user=user)

    def decision(self, question: str) -> Decision:
        return self._now.decision(question)
