"""What becomes of a chat model's sentence that its evidence does not carry, where the settings ask for more than a mark.

`replaced` puts the quote nearest to it in its place; `repaired` asks the model once more, and keeps the new sentence only
when its verdict is better. Either way the claim says so, and the record keeps what the model said first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from assistant import attribution, prompting
from assistant.answers import Finding, Verdict
from assistant.attribution import Attributed
from assistant.chat_model import Reply
from assistant.errors import ModelError
from assistant.evidence import Sentence
from assistant.prompting import Shown
from assistant.terms import terms
from assistant.verification import Verifier

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_WORTH: dict[Verdict, int] = {
    "contradicted": 0,
    "unsupported": 1,
    "uncited": 1,
    "unscored": 1,
    "partial": 2,
    "supported": 3,
    "quoted": 4,
}
_FEWEST_TERMS = 2  # that a quote shares with the sentence it replaces: one word stands anywhere
_MOST_CHARACTERS = 600  # of a repaired sentence
_NEAR = 3  # evidence sentences that the model is pointed at


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done about one sentence: what the model said first, its verdict then, and what stands there now."""

    how: Literal["repaired", "not_repaired", "replaced", "not_replaced"]
    said: str
    verdict: Verdict
    proposed: str | None  # the new sentence, kept or not
    new_verdict: Verdict | None


def fails(attributed: Attributed) -> bool:
    """Whether a sentence makes a claim that its evidence does not carry. A doubtful one (`partial`) does not fail."""
    return attributed.verdict in ("unsupported", "contradicted", "uncited")


# --- by a quote -------------------------------------------------------------------------------------------------------


def replaced(failed: Attributed, shown: Sequence[Sentence], told: Sequence[Sentence]) -> tuple[Attributed, Mended]:
    """The quote nearest to a failed sentence in its place; the sentence itself, with a finding, where none is near.

    `told` are the sentences that the answer quotes already: a quote is not told twice.
    """
    said, was = failed.said.raw.strip(), failed.verdict
    near = [sentence for sentence in nearest(failed, shown) if sentence not in told]
    if not near:
        finding = Finding("not_replaced", "No sentence of the evidence comes near enough to take its place.")
        return _with(failed, finding), Mended("not_replaced", said, was, None, None)
    number = shown.index(near[0]) + 1
    quote = attribution.parse(f"{near[0].text} [{number}]", shown)
    finding = Finding(
        "replaced", f"The evidence did not carry the model's sentence, and a quote replaces it: “{said}”"
    )
    made = Attributed(quote, (near[0],), False, "quoted", 1.0, (finding,))
    return made, Mended("replaced", said, was, near[0].text, "quoted")


def nearest(failed: Attributed, shown: Sequence[Sentence]) -> list[Sentence]:
    """The evidence that shares most words with a sentence, best first, cited before uncited at a tie."""
    wanted = set(terms(failed.said.body))
    shared = {at: len(wanted & set(terms(sentence.text))) for at, sentence in enumerate(shown)}
    order = sorted(shared, key=lambda at: (-shared[at], shown[at] not in failed.evidence, at))
    return [shown[at] for at in order if shared[at] >= _FEWEST_TERMS]


# --- by the model -----------------------------------------------------------------------------------------------------


async def repaired(
    model: BaseChatModel, question: str, failed: Attributed, shown: Shown, verifier: Verifier
) -> tuple[Attributed, Mended, Reply]:
    """Asks the model once for a failed sentence; the new one stands only when its verdict is better. Never raises
    ModelError: a model that fails now leaves the sentence as it was."""
    said, was, reply = failed.said.raw.strip(), failed.verdict, Reply(model)
    try:
        text = await said_again(reply, question, failed, shown, getattr(model, "instructions", "answer"))
    except ModelError as error:
        finding = Finding("not_repaired", f"The model could not be asked again: {error}")
        return _with(failed, finding), Mended("not_repaired", said, was, None, None), reply
    spans = attribution.split(text)
    again = attribution.parse(text[spans[0].start : spans[0].end], shown.sentences) if spans else None
    if again is None or not again.body.strip() or attribution.absent(again.body):
        finding = Finding("not_repaired", "Asked once more, the model found nothing that the evidence carries.")
        return _with(failed, finding), Mended("not_repaired", said, was, text.strip() or None, None), reply
    new = await asyncio.to_thread(attribution.attribute, again, shown.sentences, verifier)
    if _WORTH[new.verdict] <= max(_WORTH[was], _WORTH["unscored"]):
        finding = Finding("not_repaired", "Asked once more, the model did no better.")
        return _with(failed, finding), Mended("not_repaired", said, was, again.raw.strip(), new.verdict), reply
    finding = Finding("repaired", f"Repaired once. The model first said, {_as_told(was)}: “{said}”")
    return _with(new, finding), Mended("repaired", said, was, again.raw.strip(), new.verdict), reply


def _as_told(verdict: Verdict) -> str:
    return {"contradicted": "against the evidence", "uncited": "without evidence"}.get(verdict, "not supported")


async def said_again(
    reply: Reply, question: str, failed: Attributed, shown: Shown, instructions: str = "answer"
) -> str:
    """What the model says when a sentence is given back to it with its findings; `instructions` are those of the draft, a
    prompt's name, which a server has cached. Raises ModelError."""
    messages = await asyncio.to_thread(_messages, question, failed, shown, instructions)
    text = ""
    async with aclosing(reply.pieces(messages)) as pieces:
        async for piece in pieces:
            text += piece
            if len(text) > _MOST_CHARACTERS:
                break
    return attribution.without_thought(text)


def _messages(question: str, failed: Attributed, shown: Shown, instructions: str) -> list[Any]:
    from langchain_core.messages import HumanMessage, SystemMessage

    numbers = [shown.sentences.index(sentence) + 1 for sentence in nearest(failed, shown.sentences)[:_NEAR]]
    found = " ".join(finding.message for finding in failed.findings)
    filled = prompting.prompt("repair").fill(
        evidence=shown.text,
        question=" ".join(question.split()),
        sentence=" ".join(failed.said.raw.split()),
        findings=" ".join(found.split()) or "the evidence does not carry it.",
        near=f" (nearest are {', '.join(f'[{number}]' for number in numbers)})" if numbers else "",
    )
    return [SystemMessage(prompting.prompt(instructions).text.strip()), HumanMessage(filled.strip())]


def _with(attributed: Attributed, finding: Finding) -> Attributed:
    return replace(attributed, findings=(*attributed.findings, finding))
