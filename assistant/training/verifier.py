"""Makes the verifier anew: from labelled claims to `verifier-int8.onnx` and `verifier.json`, the same every time.

Claims written by hand over abstracts count most, as they are what answers look like; the public sets keep the layer from
learning our writers' habits. The encoder learns from seven papers in ten. The layer over rules and comparison is fitted on
all; how much it and the encoder weigh beside each other, and the thresholds, on the three papers in ten that the encoder
never saw (stacking, Wolpert 1992), with the layer's own opinion of them also from a fit without them.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from assistant.checks import entailment, features, focus
from assistant.checks.calibration import READ, WEIGHTS_FILE, Logistic, Weights
from assistant.checks.entailment import MODEL_FILE, ClaimReader
from assistant.checks.features import Checked
from assistant.terms import terms
from assistant.training import claim_sets
from assistant.training.claim_sets import LabelledClaim
from assistant.training.logistic import fit

MOVED_CAUGHT = 0.985  # share of claims cited to the wrong paper that the threshold of support must refuse
_EVEN = 0.5  # support is never said at less than even odds
READS = (entailment.SUPPORTED, entailment.CONTRADICTED)
_LEAST_TERMS = 3  # of a claim whose citation is moved
_CARRIES = 0.6  # share of a claim's terms with which another sentence might carry it after all
_PENALTY = 3.0
_SHARE = {"scifact": 0.5, "healthver": 0.2, "factcheckgpt": 0.2, "nli": 0.2}  # weight of a set beside the handwritten
_PARTIAL_OF_SUPPORTED = 0.5  # partial from this share of the threshold of support
_KEPT_BACK = 3  # papers in ten
_EACH = 3  # every third moved citation and whole paper is enough for the layer
_PUBLIC = 1200  # claims of a public set
_BASE = "base"  # the layer's log-odds, as a feature of the stack

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled claim and what the checks make of it. `kept_back`: of a paper that the encoder never sees."""

    labelled: LabelledClaim
    checked: Checked
    kept_back: bool = False


def kept_back(row: LabelledClaim) -> bool:
    """Whether the claim's paper is one of three in ten, by its name."""
    return int(hashlib.sha256(row.group.encode()).hexdigest(), 16) % 10 < _KEPT_BACK


def examples(
    rows: Sequence[LabelledClaim], *, meant: bool = True, reader: ClaimReader | None = None, own: bool = False
) -> list[Example]:
    """Checks each claim as `verify` would. `reader` reads the claims of papers kept back (`own`)."""
    found = []
    for row in rows:
        chosen = focus.focus(row.claim, row.evidence, meant=meant)
        if not chosen:
            continue
        titles, texts = [row.titles[one.source] for one in chosen], [one.text for one in chosen]
        checked = features.check(row.claim, texts, titles, meant=meant, reading=False)
        kept = own and kept_back(row)
        if reader and kept:
            opinion = entailment.opinion(reader, row.claim, titles[0], texts)
            checked = replace(checked, features=features.with_reading(checked.features, opinion))
        found.append(Example(row, checked, kept))
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
    """The features that any example has, sorted; without the encoder's."""
    return sorted({name for row in rows for name in row.checked.features} - set(READS))


# --- the layer without the encoder ------------------------------------------------------------------------------------


def layer(own: Sequence[Example], public: Sequence[Example], names: Sequence[str]) -> tuple[Logistic, Logistic]:
    """The two regressions: supported against the rest; contradicted against the rest of the unsupported."""
    return _both([*own, *public], [row.checked.features for row in (*own, *public)], _weights(own, public), names)


def _both(
    rows: Sequence[Example], given: Sequence[Mapping[str, float]], weights: Sequence[float], names: Sequence[str]
) -> tuple[Logistic, Logistic]:
    supported = fit(given, [row.labelled.label == "S" for row in rows], weights, names, _PENALTY)
    known = [index for index, row in enumerate(rows) if row.labelled.label in ("P", "U", "C")]
    contradicted = fit(
        [given[index] for index in known],
        [rows[index].labelled.label == "C" for index in known],
        [weights[index] for index in known],
        names,
        _PENALTY,
    )
    return supported, contradicted


def _weights(own: Sequence[Example], public: Sequence[Example]) -> list[float]:
    """1 for each handwritten claim; the claims of a public set share a part of the handwritten ones' weight."""
    sizes: dict[str, int] = {}
    for row in public:
        sizes[row.labelled.source] = sizes.get(row.labelled.source, 0) + 1
    total = max(1.0, float(len(own)))
    shares = {source: _SHARE.get(source, _SHARE["nli"]) * total / size for source, size in sizes.items()}
    return [1.0] * len(own) + [shares[row.labelled.source] for row in public]


# --- the layer beside the encoder -------------------------------------------------------------------------------------


def stack(base: tuple[Logistic, Logistic], kept: Sequence[Example]) -> tuple[Logistic, Logistic]:
    """How the layer's log-odds and the encoder's weigh beside each other, on claims that neither was fitted on."""
    names = (_BASE, *READS)
    found = []
    for which in (0, 1):
        given = [row.checked.features | {_BASE: log_odds(base[which], row.checked.features)} for row in kept]
        found.append(_both(kept, given, [1.0] * len(kept), names)[which])
    return found[0], found[1]


def log_odds(layer: Logistic, given: Mapping[str, float]) -> float:
    """Of what the layer says, before the sigmoid."""
    return layer.intercept + sum(weight * given.get(name, 0.0) for name, weight in layer.weights.items())


def merged(base: Logistic, over: Logistic) -> Logistic:
    """One regression that says what `over` says of `base` and the encoder."""
    share = over.weights[_BASE]
    weights = {name: share * weight for name, weight in base.weights.items()}
    return Logistic(over.intercept + share * base.intercept, weights | {name: over.weights[name] for name in READS})


# --- thresholds and files ---------------------------------------------------------------------------------------------


def threshold(supported: Logistic, rows: Sequence[Example]) -> float:
    """The probability of support that refuses enough of the claims cited to the wrong paper; .5 without any such."""
    moved = [
        0.0 if features.blocks(row.checked) else supported(row.checked.features)
        for row in rows
        if row.labelled.kind == "wrong_paper"
    ]
    return max(_EVEN, round(float(np.quantile(moved, MOVED_CAUGHT)), 2)) if moved else _EVEN


def weighted(supported: Logistic, contradicted: Logistic, supports_from: float) -> Weights:
    """With its thresholds."""
    return Weights(supported, contradicted, supports_from, _PARTIAL_OF_SUPPORTED * supports_from, 0.5)


def fitted(own: Sequence[Example], public: Sequence[Example], names: Sequence[str]) -> tuple[Weights, Weights | None]:
    """The weights without the encoder, and those beside it where it has read the papers kept back."""
    kept = [row for row in own if row.kept_back]
    first = layer([row for row in own if not row.kept_back], public, names)
    whole = layer(own, public, names)
    plain = weighted(*whole, threshold(first[0], kept))
    if not any(READS[0] in row.checked.features for row in kept):
        return plain, None
    over = stack(first, kept)
    bar = threshold(merged(first[0], over[0]), kept)
    return plain, weighted(merged(whole[0], over[0]), merged(whole[1], over[1]), bar)


def stored(plain: Weights, read: Weights | None, reader: ClaimReader | None) -> str:
    """The content of `verifier.json`."""
    data: dict[str, Any] = plain.to_dict()
    if read and reader:
        data[READ] = read.to_dict() | {"sha256": reader.digest}
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def gathered(folders: Sequence[Path]) -> list[LabelledClaim]:
    """What the layer is fitted on, of the handwritten sets: all claims against what they cite; moved citations and whole
    papers, all of those kept back and every third of the others."""
    found: list[LabelledClaim] = []
    for folder in folders:
        cited = claim_sets.handwritten(folder)
        whole = [row for row in claim_sets.handwritten(folder, whole=True) if row.kind != "other"]
        found += cited
        for rows in (misplaced(cited), whole):
            found += [row for index, row in enumerate(rows) if index % _EACH == 0 or kept_back(row)]
    return found


def train(
    data: Path,
    out: Path,
    *,
    nli: Path | None = None,
    base: Path | None = None,
    folders: Sequence[Path] | None = None,
    say: Say = print,
    thin: int = 1,
) -> Weights:
    """Write `verifier.json` into `out`, from the handwritten claims and the public sets under `data`.

    With `base`, a folder with MiniLM's weights, `verifier-int8.onnx` is trained and written first; otherwise the one in
    `out`, if any, is kept. `thin` keeps each n-th claim only, to try the pipeline out.
    """
    chosen = list(folders or claim_sets.written_sets())
    out.mkdir(parents=True, exist_ok=True)
    if base:
        from assistant.training import entailing

        entailing.train(data, base, nli, chosen, out / MODEL_FILE, say, thin)
    reader = ClaimReader.load(out) if (out / MODEL_FILE).is_file() else None
    own = examples(gathered(chosen)[::thin], reader=reader, own=True)
    say(f"{len(own)} handwritten claims checked")
    public: list[Example] = []
    for rows in public_sets(data, nli):
        public += examples(rows[:: thin * max(1, len(rows) // _PUBLIC)])
        say(f"{len(public)} public claims checked")
    plain, read = fitted(own, public, names_of(own))
    (out / WEIGHTS_FILE).write_text(stored(plain, read, reader), encoding="utf-8")
    return read or plain


def public_sets(data: Path, nli: Path | None) -> list[list[LabelledClaim]]:
    """Those of the public sets that are there."""
    found = []
    for source, split in (("scifact", "train"), ("healthver", None), ("factcheckgpt", None)):
        path = data / source / "grounding.jsonl"
        if path.is_file():
            found.append(claim_sets.grounding(path, source, split))
    if nli:
        found.append(claim_sets.nli(nli, ("fm2", "fever_symmetric", "fever_dev", "cad_snli"), 400))
    return found
