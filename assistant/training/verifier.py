"""Fits the verifier's calibrated layer: from labelled claims to `verifier.json`, the same every time.

Claims written by hand over abstracts count most, as they are what answers look like; the public sets keep it from
learning our writers' habits. The threshold comes from held-out papers of the handwritten claims: support is said from the
probability that refuses 99.5 % of the faithful claims whose citation was moved to another paper.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.checks import features, focus
from assistant.checks.calibration import Logistic, Weights
from assistant.checks.features import Checked
from assistant.terms import terms
from assistant.training import claim_sets
from assistant.training.claim_sets import LabelledClaim
from assistant.training.logistic import fit

MOVED_CAUGHT = 0.995  # share of claims cited to the wrong paper that the threshold of support must refuse
_SUPPORTS_FROM = 0.5  # without any such claim
_FOLDS = 5
_LEAST_TERMS = 3  # of a claim whose citation is moved
_CARRIES = 0.6  # share of a claim's terms with which another sentence might carry it after all
_PENALTY = 3.0
_SHARE = {"scifact": 0.5, "healthver": 0.2, "factcheckgpt": 0.2, "nli": 0.2}  # weight of a set beside the handwritten
_PARTIAL_OF_SUPPORTED = 0.4  # partial from this share of the threshold of support


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled claim and what the checks make of it."""

    labelled: LabelledClaim
    checked: Checked


def examples(rows: Sequence[LabelledClaim], *, meant: bool = True) -> list[Example]:
    """Checks each claim as `verify` would."""
    found = []
    for row in rows:
        chosen = focus.focus(row.claim, row.evidence, meant=meant)
        titles = [row.titles[sentence.source] for sentence in chosen]
        checked = features.check(row.claim, [sentence.text for sentence in chosen], titles, meant=meant)
        found.append(Example(row, checked))
    return found


def misplaced(rows: Sequence[LabelledClaim], seed: int = 0) -> list[LabelledClaim]:
    """Faithful claims with their citation moved: to another sentence of the abstract, and to the most similar sentence
    of another paper; unsupported, as the handwritten faults alone would teach that far from the text is faithful."""
    chance = random.Random(seed)
    told = sorted({(row.group, row.titles[0], text) for row in rows for text in row.evidence})
    held = {text: set(terms(text)) for _, _, text in told}
    found = []
    for row in rows:
        wanted = set(terms(row.claim))
        if row.label != "S" or len(wanted) < _LEAST_TERMS:
            continue
        for kind, same_paper in (("other_sentence", True), ("wrong_paper", False)):
            places = [
                (group, title, text)
                for group, title, text in told
                if (group == row.group) == same_paper
                and text not in row.evidence
                and len(wanted & held[text]) < _CARRIES * len(wanted)
            ]
            if places:
                chance.shuffle(places)
                _, title, text = max(places, key=lambda place: len(wanted & held[place[2]]))
                found.append(LabelledClaim(row.claim, (text,), (title,), "U", kind, row.source, row.group))
    return found


def names_of(rows: Sequence[Example]) -> list[str]:
    """The features that any example has, sorted."""
    return sorted({name for row in rows for name in row.checked.features})


def layer(own: Sequence[Example], public: Sequence[Example], names: Sequence[str]) -> tuple[Logistic, Logistic]:
    """The two regressions: supported against the rest; contradicted against the rest of the unsupported."""
    both = [*own, *public]
    weights = _weights(own, public)
    supported = fit(
        [row.checked.features for row in both], [row.labelled.label == "S" for row in both], weights, names, _PENALTY
    )
    known = [
        (row, weight) for row, weight in zip(both, weights, strict=True) if row.labelled.label in ("P", "U", "C")
    ]
    contradicted = fit(
        [row.checked.features for row, _ in known],
        [row.labelled.label == "C" for row, _ in known],
        [weight for _, weight in known],
        names,
        _PENALTY,
    )
    return supported, contradicted


def _weights(own: Sequence[Example], public: Sequence[Example]) -> list[float]:
    """1 for each handwritten claim; the claims of a public set share a part of the handwritten ones' weight."""
    total = max(1.0, float(len(own)))
    sizes: dict[str, int] = {}
    for row in public:
        sizes[row.labelled.source] = sizes.get(row.labelled.source, 0) + 1
    shares = {source: _SHARE.get(source, _SHARE["nli"]) * total / size for source, size in sizes.items()}
    return [1.0] * len(own) + [min(1.0, shares[row.labelled.source]) for row in public]


def out_of_fold(own: Sequence[Example], public: Sequence[Example], names: Sequence[str]) -> list[float]:
    """Probabilities of support for the handwritten claims, each from a fit without its paper."""
    groups = sorted({row.labelled.group for row in own})
    fold = {group: index % _FOLDS for index, group in enumerate(groups)}
    found = [0.0] * len(own)
    for number in range(_FOLDS):
        kept = [row for row in own if fold[row.labelled.group] != number]
        supported, _ = layer(kept, public, names)
        for index, row in enumerate(own):
            if fold[row.labelled.group] == number:
                found[index] = supported(row.checked.features)
    return found


def fitted(own: Sequence[Example], public: Sequence[Example], names: Sequence[str]) -> Weights:
    """The layer with its thresholds."""
    scores = out_of_fold(own, public, names)
    moved = [
        0.0 if features.blocks(row.checked) else score
        for row, score in zip(own, scores, strict=True)
        if row.labelled.kind == "wrong_paper"
    ]
    supports_from = round(float(np.quantile(moved, MOVED_CAUGHT)), 2) if moved else _SUPPORTS_FROM
    supported, contradicted = layer(own, public, names)
    return Weights(supported, contradicted, supports_from, _PARTIAL_OF_SUPPORTED * supports_from, 0.5)


def train(claims: Path, data: Path, nli: Path | None, out: Path, say: Callable[[str], None]) -> Weights:
    """Fits on the claims in `claims` and on the public sets under `data`; writes `out`."""
    written = claim_sets.handwritten(claims)
    own = examples([*written, *misplaced(written)])
    say(f"{len(own)} handwritten claims checked")
    public: list[Example] = []
    for source, split in (("scifact", "train"), ("healthver", None), ("factcheckgpt", None)):
        path = data / source / "grounding.jsonl"
        if path.is_file():
            rows = claim_sets.grounding(path, source, split)
            public += examples(rows[:: max(1, len(rows) // 1200)])
            say(f"{source}: {len(public)} claims checked so far")
    if nli:
        public += examples(claim_sets.nli(nli, ("fm2", "fever_symmetric", "fever_dev", "cad_snli"), 400))
        say(f"{len(public)} public claims in all")
    weights = fitted(own, public, names_of(own))
    out.write_text(json.dumps(weights.to_dict(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return weights
