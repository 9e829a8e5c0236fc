"""The local model as a LangChain chat model: starts its server when first asked, and again after a crash.

`over_http` builds the OpenAI-compatible client; it is given, because only `assistant.chat_model` may import one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from assistant import tokens
from assistant.errors import ModelUnavailable
from assistant.local_models.running import LocalServer
from assistant.tokens import Counter


class LocalChat(BaseChatModel):
    """Speaks to a `LocalServer`. `model_name` is the catalogue's or the user's name for the file.

    A model of this size declines what it could answer and answers what it should decline (docs/experiments/local-model.md):
    whether the papers hold the answer is decided before it speaks, it is not told that it may decline, and where it does
    so all the same the papers are quoted, or nothing is told where that decision was near.
    """

    model_name: str
    instructions: str = "answer-local"
    may_decline: bool = False
    quotes_after: int = 2  # of what no sentence of the draft rests on
    silence_refuses_below: float = 0.85  # of the decision's probability: docs/experiments/local-model.md
    free: bool = True
    restates: bool = False  # reading some 300 tokens more before each follow-up takes longer than is waited for it
    server: LocalServer
    over_http: Callable[[str, str], BaseChatModel]  # base URL, key

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    @property
    def _llm_type(self) -> str:
        return "openai-chat"  # what its protocol is: a reply without a finish reason is broken off

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._client()._generate(messages, stop=stop, run_manager=run_manager, **kwargs)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        client = await asyncio.to_thread(self._client)
        try:
            async for chunk in client._astream(messages, stop=stop, run_manager=run_manager, **kwargs):
                yield chunk
        except Exception as error:
            how = await asyncio.to_thread(self._how_it_died)
            if how is None:
                raise
            raise ModelUnavailable(f"local model {self.model_name!r} {how}; ask again, it is started anew") from error

    def counter(self) -> Counter | None:
        """Counts by the model's own tokenizer; None where its server has none. Starts it. Raises ModelUnavailable."""
        self.server.address()
        if self.server.tokens("one") is None:
            return None
        return Counter(f"{self.model_name}'s own", True, self._tokens)

    def _tokens(self, text: str) -> int:
        found = self.server.tokens(text)
        return tokens.count(text) if found is None else found  # it ended meanwhile, which its reply will tell

    def _client(self) -> BaseChatModel:
        address = self.server.address()
        return self.over_http(address, self.server.key)

    def _how_it_died(self) -> str | None:
        """How the server's process ended; a connection breaks a moment before its process is seen to be gone."""
        for _ in range(10):
            how = self.server.died()
            if how is not None or self.server.well():
                return how
            time.sleep(0.1)
        return None
