"""Running a suite: ask every case, score what came back, sum up. Scoring reads records only, so it can be replayed."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import IbidError, InputError
from evals import bounds
from evals.cases import KINDS, Case, bundled, corpus_of, digest, load, select
from evals.metrics import ALL, retrieval
from evals.metrics.citation_support import support
from evals.metrics.outcome import OUTCOMES, outcome
from evals.responses import Corpus, Response
from evals.results import CaseResult, LedgerLine, MetricSummary, Run, Summary, summarise
from evals.scores import Judged, Score, Verifier
from evals.statistics.risk import reliability, risk_coverage
from evals.suite import Suite, load_suite
from evals.systems import System, as_system, code_digest
from evals.verifiers import Remembered, WordCoverage, name_of

if TYPE_CHECKING:
    from evals.baselines import Options

_OF_RETRIEVAL = {metric.name for metric in retrieval.METRICS} | {"seconds"}
Progress = Callable[[int, int, CaseResult], None]  # done, total, the case just done


def run(
    system: Any = None,
    cases: Iterable[Case] | str | Sequence[str] | None = None,
    *,
    suite: Suite | str = "gate",
    library: Any = None,
    verifier: Verifier | None = None,
    out: str | Path | None = None,
    split: str | None = None,
    kinds: Sequence[str] = (),
    tags: Sequence[str] = (),
    limit: int | None = None,
    progress: Progress | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Run:
    """Asks `system` (an Assistant, or anything that is a `evals.systems.System`) the cases of `suite` and scores it.

    Without `system`, Ibid's Assistant is asked, over libraries made from the corpora of the cases' datasets. `cases` (values, dataset names or paths) replace the suite's datasets, `split` its split ("all" for both). A case
    that raises IbidError is recorded as an error and never stops the run. With `out`, the run's files are written to
    that folder. Same system, cases and seed give the same scores.
    """
    declared = load_suite(suite) if isinstance(suite, str) else suite
    wanted = chosen(cases, declared, split=split, kinds=kinds, tags=tags, limit=limit)
    under_test = as_system(system, library) if system is not None else over_own_corpora("ibid", wanted)
    started, began = clock(), time.perf_counter()
    judge = Remembered(verifier or WordCoverage())
    results: list[CaseResult] = []
    for case in wanted:
        results.append(score(Judged(case, _respond(under_test, case), under_test.corpus, judge)))
        if progress is not None:
            progress(len(results), len(wanted), results[-1])
    found = _sum_up(
        results,
        declared,
        system=under_test.name,
        verifier=name_of(verifier or WordCoverage()),
        hashes={**under_test.provenance(), "suite": declared.digest},
        started=started,
        seconds=time.perf_counter() - began,
    )
    if out is not None:
        from evals.reports import write

        write(found, under_test.corpus, Path(out))
    return found


def over_own_corpora(
    name: str, cases: Sequence[Case], options: Options | None = None, data: Path | None = None
) -> System:
    """The system `name` of `evals.baselines` over libraries made from the corpora that the cases' datasets ask about.

    `data` is the folder of the external sets among them.
    """
    from evals import external
    from evals.baselines import Options, maker
    from evals.libraries import route

    corpora: dict[str, Path] = {}
    for dataset in dict.fromkeys(case.dataset for case in cases):
        if data is not None and dataset.startswith(external.PREFIX):
            corpora[dataset] = external.corpus(data, dataset)
        elif dataset in bundled():
            corpora[dataset] = corpus_of(dataset)
        else:
            raise InputError(f"no corpus is known for the cases of {dataset!r}; give a system or a library")
    return route(corpora, maker(name, options or Options()))


def replay(folder: str | Path, *, verifier: Verifier | None = None, suite: Suite | str | None = None) -> Run:
    """Scores a recorded run again from its files, without the system that made it."""
    from evals.reports import read, read_corpus

    recorded, corpus = read(Path(folder)), read_corpus(Path(folder))
    judge = Remembered(verifier or WordCoverage())
    results = [score(Judged(one.case, one.response, corpus, judge)) for one in recorded.results]
    wanted = suite if suite is not None else recorded.summary.suite
    return _sum_up(
        results,
        _known(wanted) if isinstance(wanted, str) else wanted,
        system=recorded.summary.system,
        verifier=name_of(verifier or WordCoverage()),
        hashes=recorded.summary.hashes,
        started=datetime.fromisoformat(recorded.summary.started),
        seconds=recorded.summary.seconds,
    )


def _known(name: str) -> Suite:
    """The suite a run was made with; one that is not at hand judges nothing."""
    try:
        return load_suite(name)
    except IbidError:
        return Suite(name=name)


def chosen(
    given: Iterable[Case] | str | Sequence[str] | None,
    suite: Suite,
    *,
    split: str | None = None,
    kinds: Sequence[str] = (),
    tags: Sequence[str] = (),
    limit: int | None = None,
    repeats: int = 1,
) -> tuple[Case, ...]:
    """The cases that a run of `suite` asks: see `run`. `repeats` asks each several times, for systems that vary.

    A repetition stays in its case's group, so that it never passes for another piece of evidence.
    """
    names: Sequence[str] = suite.datasets if given is None else [given] if isinstance(given, str) else []
    items = list(given) if given is not None and not isinstance(given, str) else []
    names = [*names, *(item for item in items if isinstance(item, str))]
    every = [*(load(*names) if names else ()), *(item for item in items if isinstance(item, Case))]
    half: Any = split if split is not None else suite.split if given is None else None
    wanted = select(every, split=None if half == "all" else half, kinds=kinds, tags=tags, limit=limit)
    again = (replace(case, id=f"{case.id}#{time}") for time in range(2, repeats + 1) for case in wanted)
    return (*wanted, *again)


def _respond(system: System, case: Case) -> Response:
    began = time.perf_counter()
    try:
        return system.respond(case)
    except IbidError as error:
        return Response.failed(error, time.perf_counter() - began)


def score(judged: Judged) -> CaseResult:
    """All metrics that apply to a judged case; after an error each of them is unscored."""
    scores: dict[str, Score] = {}
    for metric in ALL:
        if not metric.applies(judged.case) or (judged.case.judge == "retrieval" and metric.name not in _OF_RETRIEVAL):
            continue
        if judged.response.status == "error":
            scores[metric.name] = Score.unscored(judged.response.error or "error")
        elif (found := metric.measure(judged)) is not None:
            scores[metric.name] = found
    return CaseResult(judged.case, judged.response, outcome(judged), scores, _ledger(judged))


def _ledger(judged: Judged) -> tuple[LedgerLine, ...]:
    lines = []
    for said in judged.response.said:
        evidence = tuple(f"[{cited.key}] {cited.title}: {cited.quote or ''}".strip() for cited in said.citations)
        texts = [judged.evidence(cited) for cited in said.citations]
        value = judged.verifier(said.text, texts)[1] if texts else None
        lines.append(LedgerLine(said.text, said.verdict, support(judged, said).verdict, value, evidence))
    return tuple(lines)


def _sum_up(
    results: Sequence[CaseResult],
    suite: Suite,
    *,
    system: str,
    verifier: str,
    hashes: Mapping[str, str],
    started: datetime,
    seconds: float,
) -> Run:
    errors = Counter(one.response.error or "error" for one in results if one.response.status == "error")
    dataset = digest(one.case for one in results)
    sets = {one.case.dataset for one in results}
    sure = [one for one in results if one.response.status == "answered" and one.response.confidence is not None]
    confidences = [one.response.confidence or 0.0 for one in sure]
    right = [float(one.outcome == "right_and_supported") for one in sure]
    bins, calibration = reliability(confidences, right)
    summary = Summary(
        run_id=f"{started:%Y%m%dT%H%M%SZ}-{dataset[:8]}",
        system=system,
        suite=suite.name,
        started=started.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        n=len(results),
        errors=sum(errors.values()),
        verifier=verifier,
        seed=suite.seed,
        hashes={**hashes, "dataset": dataset, "evals": code_digest("evals")},
        versions=_versions(),
        metrics=_metrics(results, suite.seed),
        kinds=_split(results, suite.seed, lambda case: case.kind, KINDS),
        datasets=_split(results, suite.seed, lambda case: case.dataset) if len(sets) > 1 else {},
        outcomes={name: sum(one.outcome == name for one in results) for name in OUTCOMES},
        bounds=tuple(bounds.judge(bound, results, suite.seed) for bound in suite.bounds),
        curve=risk_coverage(confidences, [1 - value for value in right], n=len(results)),
        reliability=bins,
        calibration_error=calibration,
        unanswered=dict(errors),
    )
    return Run(summary, tuple(results))


def _metrics(results: Sequence[CaseResult], seed: int) -> tuple[MetricSummary, ...]:
    found = (summarise(results, metric.name, seed=seed) for metric in ALL)
    return tuple(one for one in found if one is not None)


def _split(
    results: Sequence[CaseResult], seed: int, part_of: Callable[[Case], str], order: Sequence[str] = ()
) -> dict[str, tuple[MetricSummary, ...]]:
    """The metrics of each part of the run, parts in `order`, else as they first appear."""
    parts: dict[str, list[CaseResult]] = {name: [] for name in order}
    for one in results:
        parts.setdefault(part_of(one.case), []).append(one)
    return {name: _metrics(members, seed) for name, members in parts.items() if members}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("ibid-papers", "chromadb", "onnxruntime", "scipy", "statsmodels"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


__all__ = ["Corpus", "replay", "run", "score"]
