"""The public names. A change here is a change for everybody who imports Ibid: it belongs in CHANGELOG.md."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

PUBLIC = {
    "assistant": {
        "Abstention",
        "Answer",
        "Assistant",
        "Citation",
        "Claim",
        "ClaimVerified",
        "Conversation",
        "Event",
        "Filters",
        "Finding",
        "Finished",
        "Hit",
        "IbidError",
        "Library",
        "Paper",
        "Passage",
        "Retrieved",
        "Settings",
        "Token",
    },
    "ingest": {"IngestReport", "Progress", "add"},
    "ui": {"serve"},
    "evals": {"AssistantSystem", "Case", "Run", "System", "compare", "replay", "run"},
}
_HEAVY = ("gradio", "chromadb", "langchain_openai", "openai", "onnxruntime", "sqlalchemy", "tantivy", "numpy")


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_these_and_exist(package: str) -> None:
    module = import_module(package)
    assert set(module.__all__) == PUBLIC[package]
    assert list(module.__all__) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonesuch'"):
        import_module("assistant").__getattr__("Nonesuch")


@pytest.mark.parametrize("imported", ["assistant", "assistant.cli", "ui", "evals"])
def test_importing_loads_nothing_heavy(imported: str) -> None:
    script = f"import sys, {imported}; print([name for name in {_HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
