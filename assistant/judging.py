"""A chat model as judge: the probability of "yes" when it is asked whether evidence carries a claim.

Used only where the user names a judge (`IBID_JUDGE_MODEL`). Its word never lifts a claim over a finding that a rule made,
and where it gives no probabilities the claim is `unscored`. How far one can be trusted: docs/experiments/judge.md.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from assistant import prompting
from assistant.answers import Finding, Verdict
from assistant.errors import ModelError
from assistant.verification import Judgement, Verifier, verify

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.settings import Settings

SUPPORTED_FROM, PARTIAL_FROM = 0.8, 0.5
_ALTERNATIVES = 20  # words that the protocol tells probabilities of, at most
_LEAST_MASS = 0.05  # of "yes" and "no" together: a model that would say something else has not judged
_NO_OBJECTION = frozenset({"missing_words"})  # findings of the rules that a paraphrase earns too


class Judge(Protocol):
    """Anything that tells how likely evidence carries a claim."""

    def __call__(self, claim: str, evidence: Sequence[str], *, titles: Sequence[str] = ()) -> float | None:
        """The probability in [0, 1]; None when it cannot be told. Raises ModelError."""


class ChatJudge:
    """An OpenAI-compatible chat model as judge. Blocks while it is asked: call it from a thread."""

    def __init__(self, model: BaseChatModel) -> None:
        self.model = model

    def __call__(self, claim: str, evidence: Sequence[str], *, titles: Sequence[str] = ()) -> float | None:
        from assistant import chat_model

        title = "; ".join(dict.fromkeys(titles))
        filled = prompting.prompt("judge").fill(
            title=_line(title), evidence=_line(" ".join(evidence)), claim=_line(claim)
        )
        metadata = asyncio.run(chat_model.one_word(self.model, filled.strip(), alternatives=_ALTERNATIVES))
        return yes_share(metadata)


def _line(text: str) -> str:
    return " ".join(text.split())


def yes_share(metadata: Mapping[str, Any]) -> float | None:
    """P(yes) among yes and no for the reply's first word, from a reply's metadata; None where it tells no such thing."""
    told = metadata.get("logprobs")
    content = told.get("content") if isinstance(told, Mapping) else None
    first = content[0] if isinstance(content, list) and content else None
    listed = first.get("top_logprobs") if isinstance(first, Mapping) else None
    if not isinstance(listed, list):
        return None
    mass = {"yes": 0.0, "no": 0.0}
    for item in listed:
        token, logprob = (item.get("token"), item.get("logprob")) if isinstance(item, Mapping) else (None, None)
        word = token.strip(" \n\t.,!\"'*").casefold() if isinstance(token, str) else ""
        if word in mass and isinstance(logprob, int | float) and not math.isnan(logprob):
            mass[word] += math.exp(min(0.0, logprob))
    total = mass["yes"] + mass["no"]
    return mass["yes"] / total if total >= _LEAST_MASS else None


class Judging:
    """A verifier that asks a judge what the rules found nothing against.

    Without evidence, without a claim, for a claim that stands in the evidence word by word, and where a rule objects,
    the rules' own judgement stands. A judge that is silent or fails leaves the claim `unscored`, with a finding.
    """

    def __init__(self, judge: Judge, rules: Verifier = verify) -> None:
        self._judge = judge
        self._rules = rules

    def __call__(self, claim: str, evidence: Sequence[str], *, titles: Sequence[str] = ()) -> Judgement:
        ruled = self._rules(claim, evidence, titles=titles)
        objections = {finding.kind for finding in ruled.findings} - _NO_OBJECTION
        settled = ruled.verdict in ("uncited", "unscored", "contradicted") or ruled.score == 1.0
        if settled or (objections and ruled.verdict != "supported"):
            return ruled
        try:
            probability = self._judge(claim, evidence, titles=titles)
        except ModelError as error:
            return _unscored(ruled, f"The judge could not be asked: {error}")
        if probability is None:
            return _unscored(ruled, "The judge's server tells no probabilities of yes and no.")
        return _judged(ruled, probability)


def _unscored(ruled: Judgement, why: str) -> Judgement:
    return replace(ruled, verdict="unscored", score=None, findings=(*ruled.findings, Finding("judge_silent", why)))


def _judged(ruled: Judgement, probability: float) -> Judgement:
    told = Finding("judged", f"A chat model judged this: {probability:.0%} that the evidence carries it.")
    score = round(probability, 4)
    if probability >= SUPPORTED_FROM:
        return replace(ruled, verdict="supported", score=score, findings=(told,))
    verdict: Verdict = "partial" if probability >= PARTIAL_FROM else "unsupported"
    return replace(ruled, verdict=verdict, score=score, findings=(*ruled.findings, told))


def verifier(settings: Settings) -> Verifier:
    """The verifier that the settings ask for: the rules, or a judge behind them. Opens no socket."""
    if settings.judge_model is None:
        return verify
    from assistant import chat_model

    told = {"chat_model": settings.judge_model, "chat_base_url": settings.judge_base_url or settings.chat_base_url}
    return Judging(ChatJudge(chat_model.connect(settings.model_copy(update=told))))
