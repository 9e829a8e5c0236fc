"""Suites: which cases a run asks, and what it must reach, declared in TOML before anything is measured.

[suite]
name = "gate"
datasets = ["bundled"]      # bundled names, patterns or paths
split = "test"              # leave out for all
seed = 0

[[bounds]]
metric = "citation_validity"
at_least = 1.0
rule = "every"              # no case may fall short

[[bounds]]
metric = "all_facts"
at_least = 0.90
rule = "interval"           # "point": the mean of these very cases; "interval": questions like them
kinds = ["fact"]            # leave out for all

[margins]                   # what `compare` tests; the first named are the primary metrics
all_facts = 0.03
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assistant.errors import InputError
from evals.cases import Kind, Split
from evals.metrics import BY_NAME

Rule = Literal["every", "point", "interval"]
_SUITES = Path(__file__).parent / "suites"


class Bound(BaseModel):
    """One thing a run must reach. `unscored` is the share of cases that may go unscored before it cannot pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    rule: Rule = "point"
    kinds: tuple[Kind, ...] = ()
    unscored: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _is_one_bound_of_a_metric(self) -> Bound:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most")
        if self.metric not in BY_NAME:
            raise ValueError(f"no metric {self.metric!r}; metrics are {', '.join(BY_NAME)}")
        return self

    @property
    def limit(self) -> float:
        """The value to reach or not to pass."""
        return self.at_least if self.at_least is not None else float(self.at_most or 0.0)

    def holds(self, value: float) -> bool:
        """Whether `value` is on the right side."""
        return value >= self.limit - 1e-12 if self.at_least is not None else value <= self.limit + 1e-12

    def __str__(self) -> str:
        sign = "≥" if self.at_least is not None else "≤"
        kinds = f" ({', '.join(self.kinds)})" if self.kinds else ""
        return f"{self.metric} {sign} {self.limit:g}{kinds}"


class Suite(BaseModel):
    """A declared run; `margins` maps the metrics that `compare` tests to the loss that would still be accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    says: str = ""
    datasets: tuple[str, ...] = ("*",)
    external: tuple[str, ...] = ()  # sets taken from a data folder: scifact, cisi, pubmedqa, injections
    split: Split | None = None
    seed: int = 0
    bounds: tuple[Bound, ...] = ()
    margins: dict[str, float] = {}
    digest: str = ""

    @model_validator(mode="after")
    def _margins_are_of_metrics(self) -> Suite:
        for name, margin in self.margins.items():
            if name not in BY_NAME:
                raise ValueError(f"no metric {name!r} to give a margin; metrics are {', '.join(BY_NAME)}")
            if margin < 0:
                raise ValueError(f"margin of {name} is {margin!r}; a margin is a loss to accept, 0 or more")
        return self


def load_suite(name: str | Path) -> Suite:
    """A suite by bundled name or path of a TOML file."""
    path = Path(name)
    if path.suffix != ".toml":
        path = _SUITES / f"{name}.toml"
    try:
        content = path.read_bytes()
        data = tomllib.loads(content.decode())
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in _SUITES.glob("*.toml")))
        raise InputError(f"no suite {str(name)!r}; bundled are {known}, or give the path of a .toml file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"suite {path.name!r} is not TOML: {error}; see evals/suites/gate.toml") from error
    fields = {**data.get("suite", {}), **{key: value for key, value in data.items() if key != "suite"}}
    try:
        return Suite.model_validate({**fields, "digest": hashlib.sha256(content).hexdigest()})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "suite"
        raise InputError(f"suite {path.name!r}: {where}: {first['msg']}") from error
