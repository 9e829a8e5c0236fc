"""The page in a real browser: a question typed, a cited answer seen, and nothing fetched from another machine."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from assistant.library import Library
from tests.scripted_assistant import QUOTE, ScriptedAssistant
from ui.server import application, listen
from ui.services import Services

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
_WAIT_MS = 60_000  # a busy machine's first answer in a fresh browser
pytestmark = pytest.mark.timeout(900)  # the first test may install the browser


@pytest.fixture(scope="module")
def address(bundled: Library) -> Iterator[str]:
    """Address of the page over the scripted assistant."""
    listener = listen("127.0.0.1", 0)
    app = application(Services(bundled, ScriptedAssistant(), ("How many combinations?",)))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The opened page; closing it checks that it asked no other machine for anything and logged no error."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    expect(opened.get_by_label("Your question")).to_be_visible(timeout=_WAIT_MS)
    yield opened
    hosts = {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert errors == []
    context.close()


def _ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def test_a_question_gets_a_cited_answer(page: Page) -> None:
    _ask(page, "How many combinations were assessed?")
    expect(page.locator(".ibid-references blockquote")).to_have_text(QUOTE.replace("$", ""), timeout=_WAIT_MS)
    expect(page.locator(".ibid-answer > p .ibid-marker")).to_have_text("1")
    expect(page.get_by_label("Your question")).to_have_value("")


def test_a_papers_markup_stays_text(page: Page) -> None:
    _ask(page, "How many combinations were assessed?")
    expect(page.locator(".ibid-title")).to_contain_text("bold <img src=", timeout=_WAIT_MS)
    assert page.locator("#ibid-transcript img, #ibid-transcript script, #ibid-transcript a").count() == 0
    assert page.title() == "Ibid"


def test_a_refusal_looks_different_and_offers_the_nearest_papers(page: Page) -> None:
    _ask(page, "What hardware was used?")
    expect(page.locator(".ibid-refusal-title")).to_have_text("Not stated in these abstracts", timeout=_WAIT_MS)
    expect(page.locator(".ibid-refusal li")).to_have_count(1)
    assert page.locator(".ibid-answer").count() == 0


def test_an_example_is_asked_by_a_click_and_a_new_conversation_forgets_it(page: Page) -> None:
    page.get_by_text("How many combinations?").click()
    expect(page.locator(".ibid-references")).to_be_visible(timeout=_WAIT_MS)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".ibid-answer")).to_have_count(0, timeout=_WAIT_MS)
    expect(page.get_by_text("Ask, and see where it says so")).to_be_visible()


def test_the_page_fits_a_phone(page: Page) -> None:
    _ask(page, "What hardware was used? " + "long" * 60)
    expect(page.locator(".ibid-refusal")).to_be_visible(timeout=_WAIT_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address that `ibid serve` prints over the bundled papers, on the port after a taken one."""
    program = [sys.executable, "-c", "from assistant.cli import main; main()"]
    library = str(tmp_path / "library")
    subprocess.run([*program, "add", "--library", library, str(CORPUS)], check=True, capture_output=True, cwd=ROOT)
    with listen("127.0.0.1", 0) as taken, (tmp_path / "log").open("w+") as log:
        port = taken.getsockname()[1]
        command = [*program, "serve", "--library", library, "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT)
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            log.seek(0)
            assert f"Port {port} is taken" in log.read()
            found = re.search(r"http://127\.0\.0\.1:(\d+) over 59 papers", line)
            assert found
            assert int(found.group(1)) > port
            yield f"http://127.0.0.1:{found.group(1)}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)


def test_the_served_page_answers_from_the_bundled_papers(browser: Browser, served: str) -> None:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(served)
    opened.get_by_text("How many combinations of system message snippets were assessed?").click(timeout=_WAIT_MS)
    quotes = opened.locator(".ibid-references blockquote")
    expect(quotes.first).to_contain_text("60 combinations of system message snippets", timeout=_WAIT_MS)
    corpus = CORPUS.read_text(encoding="utf-8")
    assert all(quote in corpus for quote in quotes.all_inner_texts())
    context.close()
