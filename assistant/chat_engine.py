"""The chat engine: a model drafts from the evidence, and every sentence of its draft is checked before it is shown.

Nothing that the model says is trusted or erased: its markers become citations of characters, each sentence gets a
verdict, and an invented number stays visible. A reply that breaks off keeps what came, and says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assistant import attribution, chat_model, mending, prompting, spending
from assistant.answers import Claim, ClaimVerified, Finding, Token, Verdict
from assistant.attribution import Attributed, Said
from assistant.chat_model import Reply
from assistant.errors import ModelError
from assistant.evidence import Sentence
from assistant.ledger import Ledger, Numbering, citations_of, quote
from assistant.mending import Mended
from assistant.papers import Span
from assistant.prompting import Shown
from assistant.quotes import compose
from assistant.settings import OnFailedClaim
from assistant.spending import Call, Prices
from assistant.verification import Verifier

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from assistant.engine import Prepared

_MOST_CHARACTERS = 6_000  # of a draft: a small model that repeats itself is stopped here
_ENDS = ".!?…:\"”')]】"
_NO_PRICES = Prices()
CARRIED: tuple[Verdict, ...] = ("quoted", "supported", "partial")
_QUOTED = 5  # sentences of a quoted answer, among which those are that follow a draft
_IN_THEIR_WORDS = "In the papers' words:"
_MOST_REPAIRS = 3  # of one answer: each is another call


@dataclass(frozen=True, slots=True)
class Drafted:
    """A chat model's checked draft; `declined` says that it found no answer in the evidence, `silent` that a whole reply
    holds no sentence which the evidence carries.

    `details` goes into the answer's record: `model` (name, address, usage, the draft itself), `prompts` (digests, the
    messages sent, what was cut from the evidence).
    """

    engine: str
    ledger: Ledger
    declined: bool
    silent: bool
    notes: tuple[str, ...]
    details: dict[str, Any]


async def speak(
    model: BaseChatModel,
    verifier: Verifier,
    prepared: Prepared,
    *,
    on_failed: OnFailedClaim = "mark",
    prices: Prices = _NO_PRICES,
) -> AsyncGenerator[Token | ClaimVerified | Drafted, None]:
    """Streams the draft sentence by sentence, each as a Token followed by its verdict, and `Drafted` last.

    `on_failed` is what becomes of a sentence that its evidence does not carry. Where it is to be repaired, that sentence
    and those after it wait for the reply's end: what was streamed is never taken back.

    Raises ModelError when the model fails before it said anything; afterwards what came is kept, with a note.
    """
    if prepared.evidence is None:  # pragma: no cover
        raise AssertionError("an engine speaks on evidence")
    counter = await asyncio.to_thread(chat_model.counter, model)
    shown = await asyncio.to_thread(prompting.show, prepared.evidence, count=counter.count)
    instructions = getattr(model, "instructions", "answer")  # a small model has its own
    messages = await asyncio.to_thread(prompting.messages, prepared.standalone.query, shown, instructions)
    reply, draft = Reply(model), _Draft(shown, verifier, on_failed, model, prepared.standalone.query)
    started = time.perf_counter()
    note: str | None = None
    try:
        async with aclosing(reply.pieces(messages)) as pieces:
            async for piece in pieces:
                draft.raw += piece
                async for event in draft.grown():
                    yield event
                if draft.declined or len(draft.raw) > _MOST_CHARACTERS:
                    break
    except ModelError as error:
        if not draft.text.strip():
            raise
        note = f"incomplete: {error}"
    note = note or _stopped(reply, draft)
    async for event in draft.ended(broken=note is not None):
        yield event
    for event in draft.supplement(prepared, getattr(model, "quotes_after", 0)):
        yield event
    restated = prepared.standalone.restated
    before = [restated.call] if restated and restated.call else []
    priced = spending.prices_for(prices, reply.address, free=getattr(model, "free", False))
    calls = [*before, *_calls(reply, messages, draft)]
    total = await asyncio.to_thread(spending.spent, calls, priced, counter)
    details = _details(reply, instructions, messages, shown, draft, time.perf_counter() - started)
    details["model"]["spent"] = asdict(total)
    details["prompts"]["tokens_by"] = counter.name
    notes = tuple(told for told in (note, *draft.notes(), total.note()) if told)
    declined, ledger = draft.declined and getattr(model, "may_decline", True), draft.ledger()
    silent = note is None and not any(claim.verdict in CARRIED for claim in ledger.claims)
    yield Drafted(f"chat:{reply.address.name}", ledger, declined, silent, notes, details)


def _calls(reply: Reply, messages: list[BaseMessage], draft: _Draft) -> list[Call]:
    sent = "\n".join(str(message.content) for message in messages)
    again = zip(
        draft.again, draft.mended, strict=False
    )  # no call for a replacement; a repair is asked with the same evidence
    return [Call(reply.usage, sent, draft.raw), *(Call(r.usage, sent, m.proposed or "") for r, m in again)]


def _stopped(reply: Reply, draft: _Draft) -> str | None:
    """Why a draft that came without a failure is not whole."""
    reason = (reply.finish_reason or "").casefold()
    if reason in ("length", "max_tokens", "incomplete"):
        return "incomplete: the model reached its limit of tokens"
    if reason == "content_filter":
        return "incomplete: the model's provider filtered its reply"
    if len(draft.raw) > _MOST_CHARACTERS:
        return f"incomplete: the model was stopped after {_MOST_CHARACTERS} characters"
    return None


@dataclass(frozen=True, slots=True)
class _Waiting:
    attributed: Attributed
    separator: str


@dataclass(slots=True)
class _Draft:
    """A draft as it grows: which of its sentences are spoken, and which say only that nothing is stated."""

    shown: Shown
    verifier: Verifier
    on_failed: OnFailedClaim
    model: BaseChatModel
    question: str
    raw: str = ""
    declined: bool = False
    mended: list[Mended] = field(default_factory=list)
    again: list[Reply] = field(default_factory=list)  # calls beside the draft's own
    _done: int = 0  # sentences taken from the draft
    _held: list[Said] = field(default_factory=list)  # "not stated", until something else is said
    _waiting: list[_Waiting] = field(default_factory=list)  # from the first sentence to be repaired on
    _text: str = ""
    _claims: list[Claim] = field(default_factory=list)
    _told: list[Sentence] = field(default_factory=list)  # evidence that was quoted
    _numbering: Numbering = field(default_factory=Numbering)

    @property
    def text(self) -> str:
        """The draft without a leading block of thought."""
        return attribution.without_thought(self.raw)

    async def grown(self) -> AsyncGenerator[Token | ClaimVerified, None]:
        """What can be said now that text has come."""
        text = self.text
        async for event in self._take(text, attribution.finished(text), cut_off=False):
            yield event

    async def ended(self, *, broken: bool) -> AsyncGenerator[Token | ClaimVerified, None]:
        """The rest; with `broken`, a last sentence without its end is marked as cut off, and nothing is repaired."""
        text = self.text or (self.raw if attribution.thought_begins(self.raw) else "")
        spans = attribution.split(text)
        cut_off = bool(broken and spans and text.rstrip()[-1] not in _ENDS)
        async for event in self._take(text, spans, cut_off=cut_off):
            yield event
        for waiting in self._waiting:
            attributed = waiting.attributed
            if mending.fails(attributed) and not broken and len(self.again) < _MOST_REPAIRS:
                attributed, mended, reply = await mending.repaired(
                    self.model, self.question, attributed, self.shown, self.verifier
                )
                self.mended.append(mended)
                self.again.append(reply)
            for event in self._write(attributed, waiting.separator):
                yield event
        if not self._claims:
            self.declined = True

    async def _take(
        self, text: str, spans: tuple[Span, ...], *, cut_off: bool
    ) -> AsyncGenerator[Token | ClaimVerified, None]:
        for at, span in enumerate(spans[self._done :], start=self._done):
            if self.declined:
                return
            self._done = at + 1
            said = attribution.parse(text[span.start : span.end], self.shown.sentences)
            if not self._claims and not self._waiting and attribution.absent(said.body):
                self._held.append(said)
                self.declined = said.body.startswith("NOT STATED")
                continue
            separator = "\n" if "\n" in text[spans[at - 1].end if at else 0 : span.start] else " "
            for held in [*self._held, said]:
                last = cut_off and held is said and at == len(spans) - 1
                for event in await asyncio.to_thread(self._say, held, separator, last):
                    yield event
            self._held.clear()

    def _say(self, said: Said, separator: str, cut_off: bool) -> list[Token | ClaimVerified]:
        attributed = attribution.attribute(said, self.shown.sentences, self.verifier)
        if cut_off:
            attributed = _cut_off(attributed)
        if self._waiting or (self.on_failed == "repair" and mending.fails(attributed)):
            self._waiting.append(_Waiting(attributed, separator))
            return []
        if self.on_failed == "replace" and mending.fails(attributed):
            attributed, mended = mending.replaced(attributed, self.shown.sentences, self._told)
            self.mended.append(mended)
        return self._write(attributed, separator)

    def supplement(self, prepared: Prepared, most: int) -> Iterator[Token | ClaimVerified]:
        """The best quotes that no sentence of the draft rests on, at most `most`, after a draft of which something holds."""
        if not most or prepared.evidence is None or not any(claim.verdict in CARRIED for claim in self._claims):
            return
        resting = {(c.paper.id, c.start) for claim in self._claims for c in claim.citations}
        parts = compose(prepared.evidence, most=_QUOTED)
        found = [pair for part in parts for pair in part.worded() if (part.paper.id, pair[0].start) not in resting]
        for at, (sentence, wording) in enumerate(found[:most]):
            lead = " " if at else f"\n{_IN_THEIR_WORDS} "
            claim = quote(sentence, wording, self._numbering, len(self._text) + len(lead))
            self._text += lead + claim.text
            self._claims.append(claim)
            yield Token(lead + claim.text)
            yield ClaimVerified(claim)

    def _write(self, attributed: Attributed, separator: str) -> list[Token | ClaimVerified]:
        lead = separator if self._text else ""
        claim = attribution.write(attributed, self._numbering, self.shown.sentences, len(self._text) + len(lead))
        self._text += lead + claim.text
        self._claims.append(claim)
        if claim.verdict == "quoted":
            self._told.extend(attributed.evidence)
        return [Token(lead + claim.text), ClaimVerified(claim)]

    def notes(self) -> list[str]:
        """What the user is told of sentences that were mended."""
        done = {how: sum(mended.how == how for mended in self.mended) for how in ("repaired", "replaced")}
        means = {"repaired": "asked for again and repaired", "replaced": "replaced by a quote"}
        return [f"{n} {'sentence was' if n == 1 else 'sentences were'} {means[how]}" for how, n in done.items() if n]

    def ledger(self) -> Ledger:
        return Ledger(self._text, tuple(self._claims), citations_of(self._claims))


def _cut_off(attributed: Attributed) -> Attributed:
    """Half a sentence can say anything, so no verdict on it stands."""
    finding = Finding("cut_off", "The model's reply broke off inside this sentence.")
    return replace(attributed, verdict="unscored", score=None, findings=(*attributed.findings, finding))


def _details(
    reply: Reply, instructions: str, messages: list[BaseMessage], shown: Shown, draft: _Draft, seconds: float
) -> dict[str, Any]:
    return {
        "model": {
            **asdict(reply.address),
            "served_by": reply.served_by,
            "usage": reply.usage,
            "finish_reason": reply.finish_reason,
            "seconds": round(seconds, 3),
            "draft": draft.raw,
            "mended": [asdict(mended) for mended in draft.mended],
        },
        "prompts": {
            **{
                name: prompting.prompt(name).digest
                for name in (instructions, "evidence", *(["repair"] if draft.again else []))
            },
            "messages": [{"role": message.type, "content": str(message.content)} for message in messages],
            "evidence_tokens": shown.tokens,
            "left_out": shown.left_out,
            "shortened": list(shown.shortened),
        },
    }
