"""What the verifier learns from: handwritten claims, moved citations, and how the layers are put together."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from assistant.checks import entailment
from assistant.checks.calibration import weights_from
from assistant.checks.features import Checked
from assistant.errors import InputError
from assistant.sentences import split
from assistant.training import claim_sets, verifier
from assistant.training.claim_sets import LabelledClaim
from assistant.training.logistic import fit
from assistant.training.verifier import Example

PAPERS = [
    {"id": "P0", "source": "x-0", "title": "Vitamin K and fractures", "abstract": "We enrolled 440 women. Hip fractures fell by half."},
    {"id": "P1", "source": "x-1", "title": "Sparse attention", "abstract": "Dense attention is slow. OrbitNet attention is very fast."},
]  # fmt: skip


def _set(folder: Path, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, PAPERS)) + "\n", encoding="utf-8")
    (folder / "claims.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


LINES = (
    "P0 | 1 | S | paraphrase | Half as many hip fractures occurred.",
    "P0 | 1 | C | direction | Hip fractures doubled.",
    "P1 | 1 | S | near | OrbitNet attention is fast.",
    "P1 | 0+1 | C | entity | OrbitNet attention is slow.",
)


def test_a_set_is_read_against_its_sentences_and_against_whole_papers(tmp_path: Path) -> None:
    cited = claim_sets.handwritten(_set(tmp_path / "mine", *LINES))
    assert [row.label for row in cited] == ["S", "C", "S", "C"]
    assert cited[0].evidence == ("Hip fractures fell by half.",)
    assert cited[3].evidence == ("Dense attention is slow.", "OrbitNet attention is very fast.")
    assert cited[0].group != cited[2].group
    whole = claim_sets.handwritten(tmp_path / "mine", whole=True)
    assert whole[0].evidence == ("We enrolled 440 women.", "Hip fractures fell by half.")


@pytest.mark.parametrize(
    "line", ["P0 | 1 | S | no claim", "P9 | 1 | S | near | A claim.", "P0 | 1 | Y | near | A claim."]
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match="line 1"):
        claim_sets.handwritten(_set(tmp_path / "mine", line))


def _sources(name: str) -> set[str]:
    lines = (files("evals") / "datasets" / name).read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["title"].casefold() for line in lines}


def test_the_written_sets_are_valid_and_apart_from_what_judges() -> None:
    judged = set().union(
        *(_sources(name) for name in ("claims.jsonl", "medicine_papers.jsonl", "biology_papers.jsonl"))
    )
    total = 0
    for folder in claim_sets.written_sets():
        rows = claim_sets.handwritten(folder)
        total += len(rows)
        titles = {row.titles[0].split(" (")[0].casefold() for row in rows}
        assert not titles & judged
        assert {"S", "C"} <= {row.label for row in rows}
        kept = {row.group for row in rows if verifier.kept_back(row)}
        assert 0.15 < len(kept) / len({row.group for row in rows}) < 0.45
    assert total > 6000


def test_the_claims_that_judge_cite_sentences_of_their_papers() -> None:
    rows = [
        json.loads(line) for line in (files("evals") / "datasets" / "claims.jsonl").read_text("utf-8").splitlines()
    ]
    assert len({row["id"] for row in rows}) == len(rows) == 1053
    assert sum(row["label"] == "S" for row in rows) == 698
    abstracts = {}
    for name in ("medicine", "biology"):
        for line in (files("evals") / "datasets" / f"{name}_papers.jsonl").read_text("utf-8").splitlines():
            paper = json.loads(line)
            abstracts[paper["id"]] = paper["abstract"]
    for row in rows:
        assert row["label"] in ("S", "P", "U", "C")
        assert row["claim"]
        assert row["evidence"]
        if row["corpus"] != "bundled":
            abstract = abstracts[row["paper"]]
            told = [abstract[span.start : span.end] for span in split(abstract)]
            assert set(row["evidence"]) <= set(told)


def test_a_moved_citation_carries_little_of_its_claim(tmp_path: Path) -> None:
    rows = claim_sets.handwritten(_set(tmp_path / "mine", *LINES))
    moved = verifier.misplaced(rows)
    assert moved == verifier.misplaced(rows)
    assert {row.kind for row in moved} == {"wrong_paper", "other_sentence"}
    first = next(row for row in moved if row.kind == "wrong_paper" and row.claim == rows[0].claim)
    assert first.evidence[0] in (*rows[2].evidence, *rows[3].evidence)
    assert {row.label for row in moved} == {"U"}


def _example(chance: random.Random, number: int, read: bool = True) -> Example:
    supported = number % 2 == 0
    given = {"coverage": chance.random() + 0.3 * supported, "best_coverage": 0.5, "found_number": 0.0}
    kept = number % 3 == 0
    if read and kept:
        given |= {entailment.SUPPORTED: chance.gauss(2.0 if supported else -2.0, 1.0)}
        given |= {entailment.CONTRADICTED: chance.gauss(-2.0 if supported else 2.0, 1.0)}
    label: claim_sets.Label = "S" if supported else "C" if number % 4 == 1 else "U"
    kind = "wrong_paper" if label == "U" else ""
    row = LabelledClaim(f"claim {number}", ("text",), ("",), label, kind, "own", f"paper{number // 2}")
    return Example(row, Checked((), given, 0, True, ()), kept)


def test_the_layers_are_put_together_on_what_the_model_has_not_seen() -> None:
    chance = random.Random(0)
    own = [_example(chance, number) for number in range(240)]
    plain, read = verifier.fitted(own, [], verifier.names_of(own))
    assert read is not None
    assert entailment.SUPPORTED not in plain.supported.weights
    assert read.supported.weights[entailment.SUPPORTED] > 0
    assert read.contradicted.weights[entailment.CONTRADICTED] > 0
    for weights in (plain, read):
        assert weights.partial_from < weights.supports_from < 1
    assert weights_from(verifier.stored(plain, None, None)) == plain


def test_without_a_model_there_are_only_the_plain_weights() -> None:
    chance = random.Random(0)
    own = [_example(chance, number, read=False) for number in range(120)]
    _, read = verifier.fitted(own, [], verifier.names_of(own))
    assert read is None


def test_merged_weights_say_what_the_stack_says() -> None:
    chance = random.Random(1)
    kept = [_example(chance, number) for number in range(0, 90, 3)]
    base = (
        fit(
            [row.checked.features for row in kept],
            [row.labelled.label == "S" for row in kept],
            [1.0] * 30,
            ["coverage"],
        ),
    ) * 2
    over = verifier.stack(base, kept)[0]
    together = verifier.merged(base[0], over)
    for row in kept:
        given: Mapping[str, float] = row.checked.features
        assert together(given) == pytest.approx(over({**given, "base": verifier.log_odds(base[0], given)}))


def test_a_tiny_model_learns_and_ships(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from tokenizers import Tokenizer

    from assistant.training import entailing

    tokenizer = Tokenizer.from_buffer((files("assistant.models") / "minilm-l6-v2-tokenizer.json").read_bytes())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = claim_sets.handwritten(_set(tmp_path / "mine", *LINES))
    pairs = [entailing.pair_of(row) for row in rows]
    batch = entailing.batches(pairs * 3, 4, random.Random(0))
    assert sum(map(len, batch)) == len(pairs) * 3
    losses: list[float] = []
    recipe = replace(entailing.WRITTEN, warmup=1, threads=1, frozen=0, rate=1e-3)
    model = entailing.fit(
        entailing.Judge(1), [pairs] * 8, tokenizer, recipe, lambda step, steps, loss: losses.append(loss)
    )
    assert losses[-1] < losses[0]
    entailing.export(model, tmp_path / entailment.MODEL_FILE)
    read = entailment.ClaimReader.load(tmp_path).read(rows[0].claim, rows[0].evidence)
    assert 0.0 <= read.supported <= 1.0
