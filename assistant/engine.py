"""The pipeline, top to bottom: question → stand-alone question → retrieval → evidence → refusal or answer → record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from assistant import answerability, comparison, followups, questions, triage
from assistant.answerability import Decision
from assistant.answers import Abstention, Answer, ClaimVerified, Event, Finished, Reason, Retrieved, Token
from assistant.calibration import store
from assistant.conversation import Conversation, history
from assistant.errors import LibraryError
from assistant.evidence import Evidence
from assistant.filters import Filters
from assistant.followups import StandAlone
from assistant.gathering import gather
from assistant.keyed import keyed
from assistant.ledger import Ledger, quoted
from assistant.papers import Hit, Paper
from assistant.quotes import compose, side_by_side
from assistant.records import new_id
from assistant.retrieval import Retriever, ScoredPaper
from assistant.selecting import Selector, select
from assistant.settings import Settings
from assistant.spending import Prices
from assistant.subject import Nearby
from assistant.sync import Background
from assistant.verification import Verifier, verify

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    from assistant.library import Library

_RETRIEVED = 10  # papers told of in a `Retrieved` event
_NEAREST = 3  # papers offered with a refusal
_LIST_PAPERS = 20  # papers considered when several are asked for
_CANDIDATES = 40  # papers looked at for the names that a question calls
_CONSIDERED = 12  # sentences that a record tells of
_QUESTION_CHARACTERS = 20_000  # a longer question is cut, and the answer's notes say so


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything known before an engine speaks."""

    question: str
    standalone: StandAlone
    filters: Filters
    ranked: tuple[ScoredPaper, ...]
    evidence: Evidence | None
    decision: Decision
    notes: tuple[str, ...]
    started: float


class Assistant:
    """Answers questions from a library. Every part can be given: settings, chat model, verifier, selector, clock.

    Without `model`, `settings.chat_model` decides; its default `quotes` answers with the abstracts' own sentences.
    `selector=None` does without one: quicker, and worse at picking sentences.
    """

    def __init__(
        self,
        library: Library,
        *,
        settings: Settings | None = None,
        model: BaseChatModel | None = None,
        verifier: Verifier = verify,
        selector: Selector | Literal["shipped"] | None = "shipped",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.library = library
        self.settings = settings or Settings.load()
        self._model = model
        self._verifier = verifier
        self._selector = _shipped_selector() if selector == "shipped" else selector
        self._clock = clock
        self._background = Background()

    # --- asking ---------------------------------------------------------------------------------------------------

    def ask(
        self,
        question: str,
        *,
        filters: Mapping[str, Any] | Filters | None = None,
        conversation: Conversation | str | None = None,
    ) -> Answer:
        """Answers or refuses. Raises FilterError for a bad filter, ModelError when a chat model fails."""
        return self._background.run(self.aask(question, filters=filters, conversation=conversation))

    async def aask(
        self,
        question: str,
        *,
        filters: Mapping[str, Any] | Filters | None = None,
        conversation: Conversation | str | None = None,
        user: str | None = None,
    ) -> Answer:
        """As `ask`, awaited; `user` as in `astream`."""
        asked = self.astream(question, filters=filters, conversation=conversation, user=user)
        async with aclosing(asked) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.answer
        raise AssertionError("a stream ends with Finished")  # pragma: no cover

    def stream(
        self,
        question: str,
        *,
        filters: Mapping[str, Any] | Filters | None = None,
        conversation: Conversation | str | None = None,
    ) -> Iterator[Event]:
        """As `astream`, for ordinary loops; also inside a notebook."""
        return self._background.iterate(self.astream(question, filters=filters, conversation=conversation))

    async def astream(
        self,
        question: str,
        *,
        filters: Mapping[str, Any] | Filters | None = None,
        conversation: Conversation | str | None = None,
        user: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Yields `Retrieved`, then `Token` and `ClaimVerified` as the answer grows, and `Finished` last.

        The answer's record carries `user`, by default whose conversation it is.
        """
        thread = conversation.id if isinstance(conversation, Conversation) else conversation
        parsed = Filters.parse(filters)
        prepared = await asyncio.to_thread(self._prepare, question, parsed, thread)
        yield await asyncio.to_thread(self._retrieved, prepared)
        if thread and not self._quotes:  # what the rules found is out before a model is waited for
            restated = await self._restated(prepared, thread)
            if restated.query != prepared.standalone.query:
                again = await asyncio.to_thread(self._prepare, question, parsed, thread, restated)
                prepared = replace(again, started=prepared.started)
                yield await asyncio.to_thread(self._retrieved, prepared)
            prepared = replace(prepared, standalone=replace(prepared.standalone, restated=restated.restated))
        async with aclosing(self._speak(prepared)) as events:
            async for event in events:
                if isinstance(event, Spoken):
                    yield Finished(await asyncio.to_thread(self._record, prepared, event, thread, user))
                else:
                    yield event

    def conversation(self, conversation_id: str | None = None) -> Conversation:
        """A new conversation, or a stored one by its id; raises NotInLibrary for an unknown id."""
        if conversation_id is None:
            return Conversation(self, self.library.create_conversation())
        self.library.conversation_turns(conversation_id)
        return Conversation(self, conversation_id)

    def as_runnable(self) -> Runnable[Any, Answer]:
        """The pipeline for LangChain: takes a question, or a mapping with `question`, `filters`, `conversation`."""
        from langchain_core.runnables import RunnableLambda

        def arguments(given: str | Mapping[str, Any]) -> dict[str, Any]:
            return {"question": given} if isinstance(given, str) else dict(given)

        def run(given: str | Mapping[str, Any]) -> Answer:
            return self.ask(**arguments(given))

        async def arun(given: str | Mapping[str, Any]) -> Answer:
            return await self.aask(**arguments(given))

        return RunnableLambda(run, afunc=arun, name="ibid")

    @property
    def selector(self) -> Selector | None:
        """What reads sentences here."""
        return self._selector

    def decision(self, question: str) -> Decision:
        """Whether the question would be answered; nothing is said and nothing recorded."""
        return self._prepare(question, Filters(), None).decision

    # --- before an engine speaks ----------------------------------------------------------------------------------

    async def _restated(self, prepared: Prepared, conversation_id: str) -> StandAlone:
        """The rules' stand-alone question, worded by the chat model where it does so in time."""
        from assistant import restating

        if not restating.wanted(prepared.question, prepared.standalone):
            return prepared.standalone
        past = await asyncio.to_thread(history, self.library, conversation_id)
        connect = lambda: asyncio.to_thread(self._chat_model)  # noqa: E731  # connecting imports clients
        return await restating.restated(connect, prepared.question, past, prepared.standalone)

    def _prepare(
        self, question: str, filters: Filters, conversation_id: str | None, standalone: StandAlone | None = None
    ) -> Prepared:
        started = self._clock()
        notes: tuple[str, ...] = ()
        if len(question) > _QUESTION_CHARACTERS:
            question = question[:_QUESTION_CHARACTERS]
            notes = (f"the question was cut to its first {_QUESTION_CHARACTERS} characters",)
        asked, filters = keyed(self.library, question, filters)
        if standalone is None:
            past = history(self.library, conversation_id) if conversation_id else ()
            standalone = followups.rewrite(asked, past, Nearby(self.library))
        notes = (*notes, *standalone.notes)
        blank = Prepared(question, standalone, filters, (), None, _refused("nothing_relevant"), notes, started)
        allowed = self.library.matching_ids(filters)
        if allowed is not None and not allowed:
            return replace(blank, decision=_refused("filter_matched_nothing"))
        if allowed is not None:  # what was spoken of before doesn't get past a filter
            kept = [tuple(p for p in group if p.id in allowed) for group in (standalone.focus, standalone.context)]
            standalone = replace(standalone, focus=kept[0], context=kept[1])
        read = questions.read(standalone.searched)
        papers = _LIST_PAPERS if read.many else self.settings.papers
        retriever = Retriever(self.library)
        ranked = retriever.ranked(standalone.query, _CANDIDATES, filters)
        if standalone.kind != "restyled" and triage.not_for_a_corpus(asked):
            return replace(blank, ranked=ranked, decision=_refused("not_a_question_for_the_corpus"))
        focus, missing = standalone.focus, None
        if (phrases := read.sides or read.pair) and len(standalone.focus) < 2:
            own = [[hit.paper for hit in retriever.ranked(side, self.settings.papers, filters)] for side in phrases]
            if all(own):
                found = comparison.sides(phrases, own, self.library.term_statistics(), sure=bool(read.sides))
                if read.sides:
                    focus, missing = found.papers, found.missing
                elif found.papers:
                    focus, read = found.papers, replace(read, kind="comparison", sides=phrases, pair=())
        context = () if read.kind == "list" else standalone.context
        # Where the question itself says nothing of its subject, the papers spoken of are the only ones.
        wanted = {paper.id for paper in focus}
        open_to = [hit for hit in ranked if hit.paper.id in wanted] if standalone.asked and focus else ranked
        evidence = gather(self.library, read, papers=papers, ranked=open_to, focus=focus, context=context)
        compared = read.kind == "comparison"
        evidence = replace(evidence, sides=tuple(p.id for p in focus) if compared else (), side_missing=missing)
        evidence = replace(evidence, sides=tuple(p.paper.id for p in side_by_side(evidence)) or evidence.sides)
        if self._selector is not None and evidence.papers:
            evidence = select(evidence, self._selector)
        bar = store.bar(self.library, self.settings.strictness, self._selector)
        decision = answerability.decide(evidence, bar.threshold)
        notes = (*notes, bar.note) if bar.note else notes
        return replace(blank, ranked=ranked, evidence=evidence, decision=decision, notes=notes)

    # --- speaking -------------------------------------------------------------------------------------------------

    async def _speak(self, prepared: Prepared) -> AsyncGenerator[Event | Spoken, None]:
        """The refusal or the engine's answer, streamed; ends with `Spoken`."""
        if prepared.decision.reason is not None:
            refusal = self._refusal(prepared, prepared.decision.reason)
            yield Token(refusal.text)
            yield Spoken(refusal, {})
            return
        if self._quotes:
            for event in self._quote(prepared):
                yield event
            return
        from assistant import chat_engine

        model = await asyncio.to_thread(self._chat_model)
        verifier = await asyncio.to_thread(self._checker)
        prices = Prices(self.settings.prompt_price, self.settings.completion_price)
        mode = self.settings.on_failed_claim
        speaking = chat_engine.speak(model, verifier, prepared, on_failed=mode, prices=prices)
        async with aclosing(speaking) as drafted:
            async for item in drafted:
                if isinstance(item, chat_engine.Drafted):
                    for event in self._settle(prepared, item):
                        yield event
                else:
                    yield item

    def _retrieved(self, prepared: Prepared) -> Retrieved:
        ranked = prepared.ranked[:_RETRIEVED]
        hits = tuple(Hit(found.paper, found.score, found.rank, found.passages) for found in ranked)
        passages = tuple(found.passages[0] for found in ranked)
        spoken = prepared.decision.reason is None and prepared.evidence is not None
        return Retrieved(
            prepared.standalone.query, hits, passages, self._quoted(prepared).citations if spoken else ()
        )

    def _quoted(self, prepared: Prepared) -> Ledger:
        """The answer in the abstracts' own sentences."""
        if prepared.evidence is None:  # pragma: no cover
            raise AssertionError("an engine speaks on evidence")
        return quoted(compose(prepared.evidence, most=prepared.standalone.sentences or self.settings.sentences))

    def _quote(self, prepared: Prepared, notes: tuple[str, ...] = ()) -> Iterator[Event | Spoken]:
        ledger = self._quoted(prepared)
        position = 0
        for claim in ledger.claims:
            yield Token(ledger.text[position : claim.end])
            yield ClaimVerified(claim)
            position = claim.end
        yield Spoken(_answer(prepared, ledger, "quotes", notes), {})

    def _settle(self, prepared: Prepared, drafted: Any) -> Iterator[Event | Spoken]:
        """Takes a chat model's draft, refuses when it found nothing, or quotes when nothing that it said holds."""
        from assistant.chat_engine import CARRIED

        doubted = drafted.silent and self._doubts(prepared)
        if drafted.declined or doubted:
            refusal = replace(self._refusal(prepared, "not_stated"), engine=drafted.engine)
            told = ("the model found nothing to say that the evidence carries",) if doubted else ()
            yield Spoken(replace(refusal, notes=(*refusal.notes, *drafted.notes, *told)), drafted.details)
        elif not any(claim.verdict in CARRIED for claim in drafted.ledger.claims):
            why = "draft was not carried by the evidence" if drafted.ledger.claims else "reply held no answer"
            note = f"the model's {why}, so the abstracts are quoted instead"
            for event in self._quote(prepared, (*drafted.notes, note)):
                if isinstance(event, Spoken):
                    yield Spoken(replace(event.answer, engine=drafted.engine), drafted.details)
        else:
            yield Spoken(_answer(prepared, drafted.ledger, drafted.engine, drafted.notes), drafted.details)

    def _doubts(self, prepared: Prepared) -> bool:
        """Whether a silent draft is a refusal: by a model that asks for it, where the decision to speak was near.

        A list needs no words ("[2] [5]" names papers), and who set `lenient` wants the quotes.
        """
        if prepared.evidence is None or self.settings.strictness == "lenient":
            return False
        near = prepared.decision.probability < getattr(self._model, "silence_refuses_below", 0.0)
        return bool(near and prepared.evidence.question.kind != "list")

    def _chat_model(self) -> BaseChatModel:
        if self._model is None:
            from assistant import chat_model

            self._model = chat_model.connect(self.settings)
        return self._model

    def _checker(self) -> Verifier:
        """The verifier that was given, else the rules, with a judge behind them where the settings name one."""
        if self._verifier is verify and self.settings.judge_model is not None:
            from assistant import judging

            self._verifier = judging.verifier(self.settings)
        return self._verifier

    def _refusal(self, prepared: Prepared, reason: Reason) -> Answer:
        decision = replace(prepared.decision, reason=reason)
        nearest = [paper.paper for paper in prepared.evidence.papers] if prepared.evidence else []
        nearest = (nearest or [hit.paper for hit in prepared.ranked])[:_NEAREST]
        message = answerability.message(decision, prepared.evidence, self.library.count())
        if self.library.count() == 0:
            message = "This library holds no papers yet. Add some with: ibid add FILE"
        refused = Abstention(reason, message, tuple(nearest))
        return _answer(prepared, Ledger(message, (), ()), self._engine_name(), (), abstention=refused)

    def _engine_name(self) -> str:
        return "quotes" if self._quotes else "chat"

    @property
    def _quotes(self) -> bool:
        """Whether no chat model is configured."""
        return self._model is None and self.settings.chat_model == "quotes"

    # --- after ----------------------------------------------------------------------------------------------------

    def _record(
        self, prepared: Prepared, spoken: Spoken, conversation_id: str | None, user: str | None = None
    ) -> Answer:
        """Stamps the answer with its id and time, and stores its record and its turn of the conversation."""
        answer = replace(spoken.answer, record_id=new_id(), seconds=self._clock() - prepared.started)
        try:
            if conversation_id and user is None:
                user = self.library.conversation_user(conversation_id)
            told = _record(prepared, answer, spoken.details, self.settings, conversation_id)
            self.library.save_record({**told, "user": user})
            if conversation_id:
                self.library.append_turn(conversation_id, answer.question, answer.query, answer.record_id)
        except LibraryError as error:
            return replace(answer, notes=(*answer.notes, f"this answer left no record: {error}"))
        return answer


@dataclass(frozen=True, slots=True)
class Spoken:
    """An engine's last word: the answer, not yet recorded, and what its record should tell of the model."""

    answer: Answer
    details: Mapping[str, Any]


def _shipped_selector() -> Selector:
    from assistant.selector import default_selector

    return default_selector()


def _refused(reason: Reason) -> Decision:
    return Decision(0.0, reason, (), None)


def _answer(
    prepared: Prepared, ledger: Ledger, engine: str, notes: tuple[str, ...], abstention: Abstention | None = None
) -> Answer:
    return Answer(
        question=prepared.question,
        query=prepared.standalone.query,
        status="answered" if abstention is None else "abstained",
        text=ledger.text,
        claims=ledger.claims,
        citations=ledger.citations,
        abstention=abstention,
        record_id="",
        engine=engine,
        notes=(*prepared.notes, *notes, *_standing(ledger)),
    )


def _standing(ledger: Ledger) -> tuple[str, ...]:
    """A note for each cited paper that a source says was retracted or corrected."""
    cited = {citation.key: citation.paper for citation in ledger.citations}
    return tuple(
        f"[{key}] “{paper.title}”: {notice.rstrip('.')}" for key, paper in cited.items() for notice in paper.notices
    )


def _record(
    prepared: Prepared, answer: Answer, details: Mapping[str, Any], settings: Settings, conversation_id: str | None
) -> dict[str, Any]:
    from assistant.version import versions

    decision = prepared.decision
    return {
        "id": answer.record_id,
        "question": answer.question,
        "query": answer.query,
        "engine": answer.engine,
        "answer": answer.to_dict(),
        "filters": asdict(prepared.filters),
        "settings": settings.model_dump(mode="json"),
        "versions": versions(),
        "evidence": _shown(prepared, answer),
        "conversation_id": conversation_id,
        "rewriting": prepared.standalone.to_dict() if conversation_id else None,
        "decision": {
            "probability": round(decision.probability, 4),
            "features": asdict(decision.features) if decision.features else None,
            "respelt": dict(prepared.evidence.respelt) if prepared.evidence else {},
        },
        **details,
    }


def _shown(prepared: Prepared, answer: Answer) -> list[dict[str, Any]]:
    """The evidence behind the answer: what is cited, then the best sentences that were considered."""
    cited = [(c.paper.id, c.passage_id, c.start, c.end, c.quote) for c in answer.citations]
    papers: tuple[Paper, ...] = tuple(p.paper for p in prepared.evidence.papers) if prepared.evidence else ()
    pool = [s for p in prepared.evidence.papers for s in p.sentences] if papers and prepared.evidence else []
    best = sorted(pool, key=lambda sentence: -sentence.score)[:_CONSIDERED]
    considered = [(s.paper.id, s.passage_id, s.start, s.end, s.text) for s in best]
    names = ("paper_id", "passage_id", "start", "end", "text")
    return [dict(zip(names, row, strict=True)) for row in dict.fromkeys(cited + considered)]
