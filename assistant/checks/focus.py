"""The few sentences of long evidence that a claim may rest on: chosen by what they are about, not by what they support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant import sentences
from assistant.checks import lexicon, numbers
from assistant.checks.words import Text, Word, carried, read

MOST = 3  # sentences that a claim may rest on together
_SHORT = 60  # characters: a shorter text is one sentence
_MEANT = 8  # sentences that are compared by meaning
_ADDS = 0.12  # share of the claim that another sentence must add
_AIM, _OUTCOME = 0.2, 0.1  # shares lost by a sentence that states an aim, won by one that states an outcome
_COSINE = 1.0  # weight of the cosine beside the share of the claim's words


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the text of the evidence that it comes from."""

    text: str
    source: int


@lru_cache(maxsize=2048)
def _split(text: str) -> tuple[str, ...]:
    if len(text) < _SHORT:
        return (text,)
    found = tuple(text[span.start : span.end] for span in sentences.split(text))
    return found or (text,)


def focus(claim: str, evidence: Sequence[str], *, meant: bool = True) -> list[Sentence]:
    """At most `MOST` sentences, best first; all of the evidence where it has no more sentences than that."""
    every = [Sentence(part, index) for index, text in enumerate(evidence) for part in _split(text)]
    if len(every) <= MOST:
        return every
    said = read(claim)
    wanted = [word for word in said.words if word.content]
    held = [_held(wanted, claim, read(sentence.text), sentence.text) for sentence in every]
    total = max(1.0, sum(_weight(word) for word in wanted) + len(numbers.quantities(numbers.plain(claim))))
    share = [_worth(one) / total for one in held]
    share = [one + _tells(sentence.text) for one, sentence in zip(share, every, strict=True)]
    near = sorted(range(len(every)), key=lambda index: -share[index])[:_MEANT]
    worth = {index: share[index] for index in near}
    if meant:
        from assistant.checks import meaning

        cosines = meaning.cosines(claim, [every[index].text for index in near])
        worth = {index: share[index] + _COSINE * cosine for index, cosine in zip(near, cosines, strict=True)}
    chosen = [max(near, key=lambda index: (worth[index], -index))]
    while len(chosen) < MOST:
        covered = set().union(*(held[index] for index in chosen))
        gains = {index: _worth(held[index] - covered) / total for index in near if index not in chosen}
        best = max(gains, key=lambda index: (gains[index], worth[index]), default=None)
        if best is None or gains[best] < _ADDS:
            break
        chosen.append(best)
    return [every[index] for index in chosen]


def _held(wanted: Sequence[Word], claim: str, told: Text, text: str) -> set[tuple[str, float]]:
    found = {(word.fold, _weight(word)) for word in wanted if carried(word, told)}
    here = numbers.quantities(numbers.plain(text))
    found |= {
        (f"#{said.value}", 1.5)
        for said in numbers.quantities(numbers.plain(claim))
        if numbers.occurrences(said, here)
    }
    return found


def _tells(text: str) -> float:
    """Less for a sentence that asks, more for one that answers: both are about the same."""
    return (_OUTCOME if lexicon.OUTCOME.search(text) else 0.0) - (_AIM if lexicon.AIM.search(text) else 0.0)


def _worth(held: set[tuple[str, float]]) -> float:
    return sum(weight for _, weight in held)


def _weight(word: Word) -> float:
    return min(2.0, 0.5 + len(word.fold) / 8) + (0.5 if word.name else 0.0)
