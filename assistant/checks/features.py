"""What the checks found, in numbers: the input of the calibrated layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np

from assistant.answers import Finding
from assistant.checks import direction, entailment, entities, lexicon, meaning, numbers, partners, polarity, strength
from assistant.checks.words import Text, Word, carried, read, same
from assistant.terms import terms

_FAR = 0.6  # likeness below which a word of the claim has no counterpart
_LONGEST_REPLACED = 3  # words that stand in one place
_MISSING_SHOWN = 6  # words that a finding lists


# A claim with one of these is never supported, whatever its probability; the others lower the probability only.
_ALWAYS = frozenset({"number", "unit", "partner", "negation"})
_WHEN_NEAR = frozenset({"entity", "direction", "role"})  # these only of a claim that is near to a sentence
_TRUST = 2.0  # full trust in the model where less than half of the claim is one run
_NEAR = 0.5  # share of the claim's words in one sentence; docs/experiments/verifier.md


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim, checked: the findings in the order in which they weigh, the features, and the sentence that fits best."""

    findings: tuple[Finding, ...]
    features: dict[str, float]
    best: int
    asks: bool  # whether the claim has content words at all
    missing: tuple[str, ...]


def check(
    claim: str, evidence: Sequence[str], titles: Sequence[str], *, meant: bool = True, reading: bool = True
) -> Checked:
    """Runs every check. `meant` also compares words by meaning, which takes the embedding model, and `reading` with it
    has the claim read by the model of `entailment`."""
    given = claim
    claim = entities.without_authors(claim)
    said = read(claim)
    told = [read(text) for text in evidence]
    all_told = read(" .\n".join(evidence))
    title = read(" .\n".join(dict.fromkeys(titles)))
    wanted = [word for word in said.words if word.content and not _excused(word, title, all_told)]
    best = _best(said, told)
    missing_numbers = numbers.check(claim, [*evidence, *titles])
    found: dict[str, tuple[Finding, ...]] = {
        "number": missing_numbers.digits,
        "number_word": missing_numbers.words,
        "unit": missing_numbers.units,
        "partner": partners.check(claim, evidence),
        "entity": entities.check(claim, evidence, titles),
        "negation": polarity.check(claim, evidence),
        "direction": direction.check(claim, evidence),
    }
    weak = strength.check(claim, evidence)
    for kind in ("quantifier", "hedge", "cause", "scope"):
        found[kind] = tuple(finding for finding in weak if finding.kind == kind)
    features = {f"found_{kind}": float(bool(ones)) for kind, ones in found.items()}
    roles = any(finding.kind == "role" for finding in found["direction"])
    features["found_role"], features["found_direction"] = float(roles), float(bool(found["direction"]) and not roles)
    features |= _lexical(claim, said, wanted, all_told, evidence, best)
    if meant:
        features |= _meant(claim, said, wanted, all_told, evidence, best)
    if meant and reading:
        features = with_reading(features, entailment.read(given, titles[0] if titles else "", tuple(evidence)))
    absent = tuple(word.text for word in wanted if not carried(word, all_told))
    return Checked(
        tuple(finding for ones in found.values() for finding in ones), features, best, bool(wanted), absent
    )


def with_reading(features: Mapping[str, float], opinion: Mapping[str, float]) -> dict[str, float]:
    """The features with the opinion of the model that reads, which counts the less the more of the claim stands in the
    evidence in one run, and not at all where all of it does: it learned on rewordings, and is no judge of excerpts."""
    trust = min(1.0, _TRUST * (1.0 - features["run"]))
    return {**features, **{name: trust * value for name, value in opinion.items()}}


def blocks(checked: Checked) -> bool:
    """Whether a finding alone keeps the claim from being supported."""
    kinds = {finding.kind for finding in checked.findings}
    return bool(kinds & _ALWAYS) or (bool(kinds & _WHEN_NEAR) and checked.features["best_coverage"] >= _NEAR)


def missing_words(missing: Sequence[str]) -> tuple[Finding, ...]:
    """A finding that lists words of the claim which the evidence lacks."""
    if not missing:
        return ()
    named = ", ".join(dict.fromkeys(missing[:_MISSING_SHOWN]))
    return (Finding("missing_words", f"Not in the cited sentences: {named}."),)


def _excused(word: Word, title: Text, told: Text) -> bool:
    """A word of the title only, which a claim may say but which proves nothing, or of a frame ("the authors show")."""
    if carried(word, told):
        return False
    return carried(word, title) or (bool(word.stems) and word.stems <= lexicon.FRAME)


def _best(said: Text, told: Sequence[Text]) -> int:
    def fit(index: int) -> tuple[int, int]:
        return sum(carried(word, told[index]) for word in said.words if word.content), -index

    return max(range(len(told)), key=fit)


def _lexical(
    claim: str, said: Text, wanted: Sequence[Word], told: Text, evidence: Sequence[str], best: int
) -> dict[str, float]:
    held = [word for word in wanted if carried(word, told)]
    first = read(evidence[best])
    rare = [word for word in wanted if len(word.fold) >= 4]
    claim_terms, told_terms = terms(claim), terms(" ".join(evidence))
    negations = (polarity.negations(claim), polarity.negations(evidence[best]))
    reverse = [word for word in first.words if word.content]
    weights = {word: 1.0 + len(word.fold) / 8 for word in wanted}
    return {
        "coverage": len(held) / max(1, len(wanted)),
        "weighted_coverage": sum(weights[word] for word in held) / max(1e-9, sum(weights.values())),
        "best_coverage": sum(carried(word, first) for word in wanted) / max(1, len(wanted)),
        "absent": min(6.0, float(len(wanted) - len(held))),
        "absent_long": min(5.0, float(sum(len(word.fold) >= 7 for word in wanted if word not in held))),
        "bigrams": _bigrams(claim_terms, told_terms),
        "run": _longest_run(claim_terms, told_terms),
        "order": _order(said, first),
        "taken_up": sum(any(same(word, other) for other in said.words) for word in reverse) / max(1, len(reverse)),
        "length": np.log(1.0 + len(said.words)),
        "evidence_length": np.log(1.0 + len(told.words)),
        "parity": float(bool(negations[0]) != bool(negations[1])),
        "denies": float(bool(negations[0])),
        "told_denies": float(bool(negations[1])),
        "names": min(4.0, float(sum(entities.is_name(word) for word in said.words))),
        "missing_names": min(3.0, float(len(entities.missing_names(said, told)))),
        "rare": min(1.0, len(rare) / 8),
        "numbers": min(3.0, float(len(numbers.quantities(numbers.plain(claim))))),
    }


def _bigrams(said: Sequence[str], told: Sequence[str]) -> float:
    pairs = set(pairwise(said))
    return len(pairs & set(pairwise(told))) / len(pairs) if pairs else 0.0


def _longest_run(said: Sequence[str], told: Sequence[str]) -> float:
    """Longest run of terms that both have, as a share of the claim's."""
    if not said:
        return 0.0
    longest, before = 0, [0] * (len(told) + 1)
    for term in said:
        row = [0] * (len(told) + 1)
        for index, other in enumerate(told, start=1):
            if term == other:
                row[index] = before[index - 1] + 1
                longest = max(longest, row[index])
        before = row
    return longest / len(said)


def _order(said: Text, told: Text) -> float:
    """Share of neighbouring shared words that keep their order."""
    places = []
    for word in said.words:
        if word.content:
            place = next(
                (index for index, other in enumerate(told.words) if other.content and same(word, other)), None
            )
            if place is not None:
                places.append(place)
    pairs = list(pairwise(places))
    return sum(a < b for a, b in pairs) / len(pairs) if pairs else 0.5


def _replaced(said: Text, told: Text) -> list[tuple[range, range]]:
    """Runs of words of the claim that stand where the evidence has other words, between words that both have."""
    ours, theirs = [word.fold for word in said.words], [word.fold for word in told.words]
    found = []
    for tag, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag != "replace" or b - a > _LONGEST_REPLACED or d - c > _LONGEST_REPLACED:
            continue
        mine, yours = said.words[a:b], told.words[c:d]
        if any(word.content and not any(same(word, other) for other in told.words) for word in mine) and any(
            word.content for word in yours
        ):
            found.append((range(a, b), range(c, d)))
    return found


def _meant(
    claim: str, said: Text, wanted: Sequence[Word], told: Text, evidence: Sequence[str], best: int
) -> dict[str, float]:
    like = meaning.likeness(claim, evidence)
    place = {word: index for index, word in enumerate(said.words)}
    all_wanted = np.array([like[place[word]] for word in wanted], dtype=np.float32)
    absent = [word for word in wanted if not carried(word, told)]
    of_absent = np.array([like[place[word]] for word in absent], dtype=np.float32)
    cosines = meaning.cosines(claim, evidence)
    lowest = np.sort(all_wanted)[:3] if len(all_wanted) else np.ones(1)
    replaced = _replaced(said, read(evidence[best]))
    told_vectors = meaning.vectors(evidence[best]).words
    said_vectors = meaning.vectors(claim).words
    alike = [float((said_vectors[list(a)] @ told_vectors[list(b)].T).max()) for a, b in replaced]
    return {
        "replaced": min(4.0, float(len(replaced))),
        "replaced_like": float(np.mean(alike)) if alike else 0.7,
        "replaced_mass": min(3.0, sum(1.0 - one for one in alike)),
        "likeness": float(all_wanted.mean()) if len(all_wanted) else 0.0,
        "least_like": float(lowest[0]),
        "least_three": float(lowest.mean()),
        "absent_likeness": float(of_absent.mean()) if len(absent) else 1.0,
        "unlike": min(6.0, float((all_wanted < _FAR).sum())),
        "absent_mass": min(4.0, float((1.0 - of_absent).sum())),
        "cosine": max(cosines),
        "taken_up_meant": meaning.backward(claim, evidence[best]),
    }
