"""The verifier layer by layer, on claims that nothing was fitted on: the tables of docs/verifier.md.

    python -m benchmarks.verifier_quality --data DATA [--model FOLDER] [--out FILE]

DATA holds scifact and wice as `ibid train verifier` takes them; without it those two are left out. Layers: word overlap,
cosine, rules and comparison (`verifier.json` without its part `read`), and with the model that reads. Overlap and cosine
get the threshold that refuses one in twenty of the faithful training claims; the others their own.

Sets: `evals/datasets/claims.jsonl` (1,053 claims by hand, none by the training claims' writer), against the sentences
they cite and against whole abstracts; its faithful claims cited to another sentence and to another paper; `evals.faults`
on the bundled papers; scifact dev; wice dev. Shares have Wilson's intervals clustered by paper; differences of AUROC a
paired bootstrap over papers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.checks import calibration, entailment, features, focus, meaning
from assistant.checks.calibration import Weights
from assistant.checks.features import Checked
from assistant.cleaning import clean
from assistant.papers import Paper
from assistant.sentences import split
from assistant.training import claim_sets, verifier
from assistant.training.claim_sets import LabelledClaim
from assistant.verification import is_copy, judge
from assistant.verifying import called
from evals.faults import plant
from evals.statistics.intervals import estimate
from ingest.records import Record
from ingest.sources import read

_DATASETS = Path("evals/datasets")
_SECOND_WRITER = "N"  # how ids of the claims that a second writer added begin
_BUNDLED = Path("ingest/corpus/huggingface-papers.txt")
LAYERS = ("word overlap", "cosine", "rules and comparison", "with the model that reads")
_RESAMPLES = 2000
_ALARMS = 0.05


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with each layer's score and whether it calls the claim supported."""

    row: LabelledClaim
    scores: tuple[float, ...]
    supported: tuple[bool, ...]


# --- the sets ---------------------------------------------------------------------------------------------------------


def claims(*, whole: bool = False) -> list[LabelledClaim]:
    """`evals/datasets/claims.jsonl`; with `whole`, each against all sentences of its paper.

    Of faithful claims the first writer's are one kind, the second's are told apart by how they reword.
    """
    abstracts = dict(_abstracts())
    found = []
    for line in (_DATASETS / "claims.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        abstract = abstracts[row["title"]]
        title = called(Paper(id=row["paper"], title=row["title"], abstract=abstract))
        told = [abstract[span.start : span.end] for span in split(abstract)] if whole else row["evidence"]
        texts = tuple(clean(text).text for text in told)
        first = row["label"] == "S" and not row["id"].startswith(_SECOND_WRITER)
        kind = "first writer" if first else row["kind"]
        found.append(
            LabelledClaim(row["claim"], texts, (title,) * len(texts), row["label"], kind, row["corpus"], row["paper"])
        )
    return found


def _abstracts() -> Iterator[tuple[str, str]]:
    for record in read(_BUNDLED, _BUNDLED.name):
        if isinstance(record, Record):
            yield record.title, record.abstract
    for name in ("medicine", "biology"):
        for line in (_DATASETS / f"{name}_papers.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["title"], row["abstract"]


def planted() -> list[LabelledClaim]:
    """Mechanical faults and rewordings of the bundled papers' sentences, without titles."""
    papers = [
        Paper(id=f"p{place}", title=record.title, abstract=record.abstract)
        for place, record in enumerate(read(_BUNDLED, _BUNDLED.name))
        if isinstance(record, Record)
    ]
    return [
        LabelledClaim(one.claim, one.evidence, ("",), "S" if one.faithful else "X", one.kind, "planted", one.group)
        for one in plant(papers)
    ]


# --- the layers -------------------------------------------------------------------------------------------------------


class Layers:
    """Scores and verdicts of every layer; the expensive part is done once a claim."""

    def __init__(self, model: Path | None) -> None:
        self._reader = entailment.ClaimReader.load(model) if model else entailment.default_reader()
        stored = (model / calibration.WEIGHTS_FILE).read_text(encoding="utf-8") if model else None
        self.weights: tuple[Weights, Weights] = (
            (calibration.weights_from(stored), calibration.weights_from(stored, read=True))
            if stored
            else (calibration.shipped(), calibration.shipped(read=True))
        )
        faithful = [row for folder in claim_sets.written_sets() for row in claim_sets.handwritten(folder)]
        plain = [self._plain(row) for row in faithful if row.label == "S" and verifier.kept_back(row)]
        self._bars = [float(np.quantile([one[which] for one in plain], _ALARMS)) for which in (0, 1)]

    @staticmethod
    def _plain(row: LabelledClaim) -> tuple[float, float]:
        chosen = focus.focus(row.claim, row.evidence)
        texts = [sentence.text for sentence in chosen]
        checked = features.check(row.claim, texts, [row.titles[one.source] for one in chosen], meant=False)
        return checked.features["coverage"], max(meaning.cosines(row.claim, texts))

    def __call__(self, row: LabelledClaim) -> Judged:
        """What each layer makes of the claim."""
        chosen = focus.focus(row.claim, row.evidence)
        texts, titles = [one.text for one in chosen], [row.titles[one.source] for one in chosen]
        checked = features.check(row.claim, texts, titles, reading=False)
        if self._reader:
            opinion = entailment.opinion(self._reader, row.claim, titles[0], texts)
            checked = replace(checked, features=features.with_reading(checked.features, opinion))
        simple = (checked.features["coverage"], checked.features["cosine"])
        verdicts = [score >= bar for score, bar in zip(simple, self._bars, strict=True)]
        scores = list(simple)
        for weights in self.weights:
            score, supported = _judged(row.claim, texts, checked, weights)
            scores.append(score)
            verdicts.append(supported)
        return Judged(row, tuple(scores), tuple(verdicts))


def _judged(claim: str, texts: Sequence[str], checked: Checked, weights: Weights) -> tuple[float, bool]:
    if any(is_copy(claim, text) for text in texts):
        return 1.0, True
    if not checked.asks:
        return 0.0, False
    found = judge(checked, 0, weights)
    return found.score or 0.0, found.verdict == "supported"


# --- the tables -------------------------------------------------------------------------------------------------------


def auroc(good: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    """Probability that a score of `good` is above one of `bad`, ties halved."""
    if not len(good) or not len(bad):
        return float("nan")
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)


def compared(
    rows: Sequence[Judged], faulty: Callable[[LabelledClaim], bool]
) -> tuple[list[float], tuple[float, float]]:
    """AUROC of each layer, supported claims against those that `faulty` picks, and the interval of the last layer's lead
    over the one before."""
    used = [row for row in rows if row.row.label == "S" or faulty(row.row)]
    good = np.array([row.row.label == "S" for row in used])
    scores = np.array([row.scores for row in used])
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(used):
        groups.setdefault(row.row.group, []).append(place)
    members = [np.array(places) for places in groups.values()]
    chance = np.random.default_rng(0)
    leads = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([members[index] for index in chance.integers(0, len(members), len(members))])
        kept, right = scores[drawn], good[drawn]
        if right.any() and not right.all():
            leads.append(auroc(kept[right, 3], kept[~right, 3]) - auroc(kept[right, 2], kept[~right, 2]))
    areas = [auroc(scores[good, layer], scores[~good, layer]) for layer in range(len(LAYERS))]
    low, high = np.quantile(leads, [0.025, 0.975])
    return areas, (float(low), float(high))


def balanced(rows: Sequence[Judged], layer: int) -> float:
    """Mean of the shares of supported claims passed and of others refused."""
    passed = [row.supported[layer] for row in rows if row.row.label == "S"]
    refused = [not row.supported[layer] for row in rows if row.row.label != "S"]
    return float(np.mean(passed) + np.mean(refused)) / 2


def areas_table(sets: Mapping[str, Sequence[Judged]]) -> list[str]:
    """A row for each set and comparison."""
    lines = [
        f"| set | n | {' | '.join(LAYERS)} | lead of the last, 95 % | balanced accuracy of the last two |",
        "|---|---|" + "---|" * (len(LAYERS) + 2),
    ]
    for name, rows in sets.items():
        labels = {row.row.label for row in rows}
        pairs: list[tuple[str, Callable[[LabelledClaim], bool]]] = [("v rest", lambda row: row.label != "S")]
        if "C" in labels and labels - {"S", "C"}:
            pairs.insert(0, ("v contradicted", lambda row: row.label == "C"))
        for what, faulty in pairs:
            areas, (low, high) = compared(rows, faulty)
            both = f"{balanced(rows, 2):.3f}, {balanced(rows, 3):.3f}" if what == "v rest" else ""
            n = sum(row.row.label == "S" or faulty(row.row) for row in rows)
            shown = " | ".join(f"{area:.3f}" for area in areas)
            lines.append(f"| {name}, {what} | {n} | {shown} | {low:+.3f} to {high:+.3f} | {both} |")
    return lines


def kinds_table(name: str, rows: Sequence[Judged]) -> list[str]:
    """Share wrongly called supported, by kind of fault; for faithful claims, all and by kind, the share wrongly refused."""
    lines = [f"| {name} | n | {' | '.join(LAYERS)} |", "|---|---|" + "---|" * len(LAYERS)]
    parts: dict[str, list[Judged]] = {}
    for row in sorted(rows, key=lambda row: row.row.label != "S"):
        if row.row.label == "S":
            parts.setdefault("faithful", []).append(row)
        parts.setdefault(row.row.kind, []).append(row)
    for kind, of_kind in parts.items():
        cells = []
        for layer in range(len(LAYERS)):
            wrong = [float(row.supported[layer] != (row.row.label == "S")) for row in of_kind]
            found = estimate(wrong, [row.row.group for row in of_kind], binary=True)
            if found is not None and found.low is not None and found.high is not None:
                cells.append(f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]")
            else:
                cells.append(f"{np.mean(wrong):.3f}")
        what = "refused" if of_kind[0].row.label == "S" else "passed"
        lines.append(f"| {kind.replace('_', ' ')}: {what} | {len(of_kind)} | {' | '.join(cells)} |")
    return lines


def report(data: Path | None, model: Path | None) -> Iterable[str]:
    """The Markdown, table by table."""
    layers = Layers(model)
    cited = claims()
    sets: dict[str, list[LabelledClaim]] = {
        "claims by hand": cited,
        "claims by hand, whole abstracts": claims(whole=True),
        "their citations moved": [row for row in cited if row.label == "S"] + verifier.misplaced(cited),
        "planted faults": planted(),
    }
    if data:
        sets["scifact dev"] = claim_sets.grounding(data / "scifact" / "grounding.jsonl", "scifact", "dev")
        sets["wice dev"] = claim_sets.grounding(data / "wice" / "oracle_chunks.jsonl", "wice")
    judged = {name: [layers(row) for row in rows] for name, rows in sets.items()}
    yield "AUROC of support, by layer\n"
    yield "\n".join(areas_table(judged))
    yield "\nShare judged wrongly, by kind\n"
    for name in ("claims by hand", "claims by hand, whole abstracts", "their citations moved", "planted faults"):
        yield "\n".join(kinds_table(name, judged[name])) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verifier_quality")
    parser.add_argument("--data", type=Path, help="folder with scifact and wice")
    parser.add_argument("--model", type=Path, help="folder with a verifier; default: the shipped one")
    parser.add_argument("--out", type=Path, help="Markdown file; default: printed")
    options = parser.parse_args()
    told = "\n".join(report(options.data, options.model)) + "\n"
    if options.out:
        options.out.write_text(told, encoding="utf-8")
    else:
        print(told)


if __name__ == "__main__":
    main()
