"""Schemathesis: whatever the schema allows or forbids, the server answers as the schema says, and never breaks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks as openapi

from assistant.library import Library
from tests.served import services
from ui.api.limits import Limits
from ui.server import application

_EXAMPLES = 8  # of each route and mode
_KEPT = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
]
# How wrong data may be refused: 413, which is not among the default, for what is wrong by being very large.
_REFUSALS = ["400", "404", "405", "409", "413", "415", "422"]
_CONFIG = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": _REFUSALS}}})


@pytest.fixture(scope="module")
def schema(bundled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Over papers of its own: adding and deleting are tried too."""
    folder = Path(shutil.copytree(bundled_folder, tmp_path_factory.mktemp("schema") / "library"))
    with Library.open(folder) as library:
        app = application(services(library), limits=Limits(requests_per_minute=1_000_000))
        yield schemathesis.openapi.from_asgi("/openapi.json", app, config=_CONFIG, headers={"host": "127.0.0.1"})


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_every_route_keeps_to_its_schema(schema: Any, mode: GenerationMode) -> None:
    wanted = [*_KEPT, openapi.negative_data_rejection] if mode is GenerationMode.NEGATIVE else _KEPT
    tried = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue  # in a query everything is text, so that little is wrong

        @settings(
            max_examples=_EXAMPLES,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.explicit, Phase.generate],
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=wanted, headers={"host": "127.0.0.1"})

        holds()
        tried.append(operation.label)
    assert len(tried) >= (12 if mode is GenerationMode.POSITIVE else 5)
