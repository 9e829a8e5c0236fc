"""Planted faults: sentences of abstracts, spoiled one way at a time, to see what a verifier catches.

Each fault is a claim with the evidence that it is said to rest on:
  negation          the sentence with its main statement negated, or a negation taken out
  changed_number    one number of the sentence changed
  swapped_entity    one name replaced by a name from another paper
  swapped_citation  the sentence untouched, its citation moved to another sentence of the same abstract
  wrong_paper       the sentence untouched, its citation moved to the most similar sentence of another paper
                    (both: of those that share less than half of its words, lest they carry it after all; a verifier
                    that counts words therefore catches these two by construction)
and two faithful kinds, for false alarms:
  copy              the sentence itself
  paraphrase        the sentence reworded by rules that keep its meaning
Everything is derived from the papers and the seed: same papers and seed, same faults.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias, get_args

from assistant.papers import Paper
from assistant.sentences import split
from evals.matching import numbers
from evals.verifiers import terms

FaultKind = Literal["negation", "changed_number", "swapped_entity", "swapped_citation", "wrong_paper"]
FaithfulKind = Literal["copy", "paraphrase"]
FAULTS: tuple[FaultKind, ...] = get_args(FaultKind)
FAITHFUL: tuple[FaithfulKind, ...] = get_args(FaithfulKind)
_WORDS = range(8, 46)  # shorter sentences say little, longer ones are often two
_OVERLAP = 0.5  # a moved citation must not carry the claim: evidence sharing more of its words is not used


@dataclass(frozen=True, slots=True)
class Planted:
    """A claim with evidence that carries it (`faithful`) or does not. `group` is the paper: intervals cluster by it."""

    id: str
    kind: FaultKind | FaithfulKind
    claim: str
    evidence: tuple[str, ...]
    faithful: bool
    group: str


@dataclass(frozen=True, slots=True)
class _Around:
    """What a change of one sentence may draw on."""

    paper_id: str
    sentences: Sequence[str]  # of the same abstract, shuffled
    names: Sequence[str]  # of all papers
    everything: Sequence[tuple[str, str]]  # paper id and sentence, of all papers
    chance: random.Random


Pair: TypeAlias = tuple[str, str]  # claim and evidence


def plant(papers: Iterable[Paper], seed: int = 0, per_paper: int = 2) -> tuple[Planted, ...]:
    """Up to `per_paper` claims of each kind from each paper, in the papers' order."""
    texts = {paper.id: _usable(paper) for paper in papers}
    everything = [(paper_id, sentence) for paper_id, found in texts.items() for sentence in found]
    names = sorted({name for _, sentence in everything for name in _names(sentence)})
    planted: list[Planted] = []
    for paper_id, sentences in texts.items():
        chance = random.Random(f"{seed}:{paper_id}")
        order = chance.sample(sentences, len(sentences))
        around = _Around(paper_id, order, names, everything, chance)
        for kind, make in _MAKERS.items():
            pairs = (pair for sentence in order if (pair := make(sentence, around)) is not None)
            planted += [
                Planted(f"{kind}-{paper_id}-{place}", kind, claim, (evidence,), kind in FAITHFUL, paper_id)
                for place, (claim, evidence) in enumerate(islice(pairs, per_paper))
            ]
    return tuple(planted)


def _usable(paper: Paper) -> list[str]:
    found = (paper.abstract[span.start : span.end] for span in split(paper.abstract))
    return [sentence for sentence in found if len(sentence.split()) in _WORDS]


_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|does|do|did|has|have|may|should)\b(?! (?:not|no)\b)")
_NOT = re.compile(r"\b(is|are|was|were|can|could|will|does|do|did|has|have|may|should) not\b|\bcannot\b")
_VERBS = re.compile(
    r"\b(improve|increase|reduce|achieve|outperform|enable|require|show|demonstrate|introduce|propose|provide|use|"
    r"present|reveal|suggest|yield|allow|support|exhibit|remain|perform)(s?)\b"
)
_OPPOSITES = (("without", "with"), ("outperforms", "underperforms"), ("increases", "decreases"), ("higher", "lower"))


def negate(sentence: str) -> str | None:
    """`sentence` with its first verb negated, or its first "not" taken out; None where no rule applies."""
    if found := _NOT.search(sentence):
        kept = "can" if found.group() == "cannot" else found.group(1)
        return sentence[: found.start()] + kept + sentence[found.end() :]
    if found := _AUXILIARY.search(sentence):
        return f"{sentence[: found.end()]} not{sentence[found.end() :]}"
    if found := _VERBS.search(sentence):
        helper = "does not" if found.group(2) else "do not"
        return f"{sentence[: found.start()]}{helper} {found.group(1)}{sentence[found.end() :]}"
    for word, opposite in _OPPOSITES:
        if re.search(rf"\b{word}\b", sentence):
            return re.sub(rf"\b{word}\b", opposite, sentence, count=1)
    return None


_FIGURE = re.compile(r"(?<![\w.\-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w\-]|\.\d)")


def change_number(sentence: str, chance: random.Random) -> str | None:
    """`sentence` with one number changed to one that it does not hold, written with as many decimals."""
    figures = list(_FIGURE.finditer(sentence))
    if not figures:
        return None
    figure = chance.choice(figures)
    plain = figure.group().replace(",", "")
    decimals = len(plain.partition(".")[2])
    for factor in (1.3, 0.7, 2.0, 1.7, 0.4):
        changed = f"{float(plain) * factor + (0 if decimals else 1):.{decimals}f}"
        if changed != plain and not set(numbers(changed)) & set(numbers(sentence)):
            return sentence[: figure.start()] + changed + sentence[figure.end() :]
    return None


_NAME = re.compile(r"\b(?:[A-Z][A-Za-z]*[A-Z0-9][\w\-]*|[A-Z]{2,}[\w\-]*)\b")


def _names(sentence: str) -> list[str]:
    return [found.group() for found in _NAME.finditer(sentence)]


def swap_name(sentence: str, names: Sequence[str], chance: random.Random) -> str | None:
    """`sentence` with one of its names (GSM8K, LLaMA, BERT) replaced by a name that it does not hold."""
    own = _names(sentence)
    others = [name for name in names if name.casefold() not in sentence.casefold()]
    if not own or not others:
        return None
    old, new = chance.choice(own), chance.choice(others)
    return re.sub(rf"\b{re.escape(old)}\b", new, sentence)


_REWORDINGS: tuple[tuple[str, str], ...] = (
    (r"\bIn this (?:paper|work|study), we\b", "The authors"),
    (r"\b[Ww]e (propose|introduce|present|show|demonstrate|find|evaluate|develop|study)\b", r"the authors \1"),
    (r"\b[Oo]ur (results|experiments|findings|method|approach|model|framework)\b", r"the \1"),
    (r"\bin order to\b", "to"),
    (r"\b[Hh]owever, ", ""),
    (r"\b(?:Moreover|Furthermore|Additionally|Specifically|Notably), ", ""),
    (r"\bdemonstrate(s?)\b", r"show\1"),
    (r"\boutperforms\b", "surpasses"),
    (r"\bnovel\b", "new"),
    (r"\butili[sz]e(s?)\b", r"use\1"),
    (r"\bsignificantly\b", "substantially"),
    (r"\bachieves\b", "attains"),
    (r"\ba variety of\b", "various"),
    (r"\bextensive\b", "thorough"),
    (r"\bsuch as\b", "for example"),
    (r"\bdue to\b", "because of"),
    (r"\bapproximately\b", "about"),
    (r"\bremarkable\b", "notable"),
    (r"\bnecessitate(s?)\b", r"require\1"),
    (r"\bleveraging\b", "using"),
)
_LEAST_REWORDINGS = 2  # one word changed is nearly a copy


def paraphrase(sentence: str) -> str | None:
    """`sentence` reworded at two places or more without a change of meaning; None where the rules find less."""
    changes = 0
    for pattern, replacement in _REWORDINGS:
        sentence, count = re.subn(pattern, replacement, sentence)
        changes += count
    return sentence[:1].upper() + sentence[1:] if changes >= _LEAST_REWORDINGS else None


def _shared(claim: str, evidence: str) -> float:
    wanted = terms(claim)
    return len(wanted & terms(evidence)) / len(wanted) if wanted else 1.0


def _changed(claim: str | None, sentence: str) -> Pair | None:
    return None if claim is None or claim == sentence else (claim, sentence)


def _moved(sentence: str, places: Iterable[str]) -> Pair | None:
    """The claim with the sentence that shares most words with it and still does not carry it."""
    found = [other for other in places if other != sentence and _shared(sentence, other) < _OVERLAP]
    return (sentence, max(found, key=lambda other: (_shared(sentence, other), other))) if found else None


def _elsewhere(sentence: str, around: _Around) -> Pair | None:
    return _moved(sentence, (other for paper_id, other in around.everything if paper_id != around.paper_id))


_MAKERS: dict[FaultKind | FaithfulKind, Callable[[str, _Around], Pair | None]] = {
    "copy": lambda sentence, around: (sentence, sentence),
    "paraphrase": lambda sentence, around: _changed(paraphrase(sentence), sentence),
    "negation": lambda sentence, around: _changed(negate(sentence), sentence),
    "changed_number": lambda sentence, around: _changed(change_number(sentence, around.chance), sentence),
    "swapped_entity": lambda sentence, around: _changed(swap_name(sentence, around.names, around.chance), sentence),
    "swapped_citation": lambda sentence, around: _moved(sentence, around.sentences),
    "wrong_paper": _elsewhere,
}
