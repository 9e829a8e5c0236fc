"""The report page in a real browser, from a file, with the network watched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evals_corpus import bundled_shelf

from assistant.answers import Answer
from evals import run
from evals.cases import load, select
from evals.reports import page as report_page
from evals.reports import write
from evals.responses import Corpus
from evals.results import Run
from evals.testing import OracleAssistant

pytestmark = pytest.mark.timeout(900)  # the first test may install the browser

_CASES = select(load("bundled"), limit=40)
_HOSTILE = "</script><img src=x onerror='document.title=\"owned\"'>&lt;b&gt; \u2028 /*SCRIPT*/"


class _Hostile(OracleAssistant):
    """Ends each answer with text that a careless page would run."""

    def answer(self, turns: tuple[str, ...]) -> Answer:
        found = super().answer(turns)
        return replace(found, text=f"{found.text} {_HOSTILE}")


@pytest.fixture(scope="module")
def found() -> Run:
    return run(_Hostile(bundled_shelf(), _CASES), _CASES)


@pytest.fixture
def page(browser: Any, found: Run, tmp_path: Path) -> Iterator[Any]:
    write(found, Corpus(bundled_shelf().papers()), tmp_path)
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    opened.heard = []
    opened.on("pageerror", lambda error: opened.heard.append(str(error)))
    opened.on("console", lambda message: opened.heard.append(message.text))
    opened.on("request", lambda request: opened.heard.append(request.url))
    opened.goto((tmp_path / "report.html").as_uri())
    yield opened
    opened.close()


def test_it_opens_alone_without_errors_or_requests(page: Any) -> None:
    assert len(page.heard) == 1, page.heard
    assert page.heard[0].startswith("file:")
    assert page.title() == "gate: ibid"
    assert page.locator("tr.case").count() == len(_CASES)
    assert page.locator("#bounds tbody tr").count() > 5
    assert page.locator("#plots svg").count() >= 3


def test_what_an_answer_says_is_text(page: Any) -> None:
    page.locator("tr.case").first.click()
    assert "</script><img src=x" in page.locator(".answer").first.inner_text()
    assert page.locator("img").count() == 0
    assert page.title() != "owned"


def test_each_answer_opens_with_its_ledger(page: Any) -> None:
    page.get_by_label("outcome", exact=True).select_option("right_and_supported")
    rows = page.locator("tr.case")
    assert 0 < rows.count() < len(_CASES)
    rows.first.focus()
    page.keyboard.press("Enter")
    assert rows.first.get_attribute("aria-expanded") == "true"
    ledger = page.locator("tr.detail tbody tr").first.inner_text()
    assert "quoted" in ledger
    assert "supported" in ledger
    page.keyboard.press("Enter")
    assert page.locator("tr.detail").count() == 0


def test_cases_are_sorted_and_searched(page: Any) -> None:
    heads = page.locator("#cases th button")
    heads.nth(6).click()  # words
    column = page.locator("tr.case td:nth-child(7)")
    texts = column.all_inner_texts()
    values = [float(text) for text in texts if text != "–"]
    assert values == sorted(values)
    assert texts[len(values) :] == ["–"] * (len(texts) - len(values))  # unscored last
    heads.nth(6).click()
    again = [float(text) for text in column.all_inner_texts() if text != "–"]
    assert again == sorted(values, reverse=True)
    assert page.locator("#cases th").nth(6).get_attribute("aria-sort") == "descending"
    page.get_by_label("search", exact=True).fill(_CASES[3].question)
    assert page.locator("tr.case").count() >= 1
    assert _CASES[3].id in page.locator("tr.case").first.inner_text()


def test_it_fits_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_data_cannot_leave_their_script(found: Run) -> None:
    html = report_page.render(found)
    assert html.count("</script>") == 2
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "default-src 'none'" in html
