"""The page in a real browser: sentences that open their source, scope, stopping, keyboard, and nothing fetched elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, expect

from assistant import Assistant
from assistant.cleaning import clean
from assistant.library import Library
from assistant.settings import Settings
from assistant.testing import TINY_PAPERS, HashEmbedder, tiny_library
from tests.fake_openai import FakeOpenAI, Script
from tests.scripted_assistant import PAPER, QUOTE, ScriptedAssistant
from ui.examples import questions_for
from ui.server import application, listen
from ui.services import Services

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
_WAIT_MS = 60_000  # a busy machine's first answer in a fresh browser
_SHOWN = clean(QUOTE).text
pytestmark = pytest.mark.timeout(900)  # the first test may install the browser


@contextmanager
def _serving(services: Services, port: int = 0) -> Iterator[str]:
    listener = listen("127.0.0.1", port)
    server = uvicorn.Server(uvicorn.Config(application(services), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("page") / "library"
    with tiny_library(folder, papers=[PAPER, *TINY_PAPERS], embedder=HashEmbedder()) as made:
        yield made


@pytest.fixture(scope="module")
def scripted(library: Library) -> ScriptedAssistant:
    return ScriptedAssistant(library)


@pytest.fixture(scope="module")
def address(library: Library, scripted: ScriptedAssistant) -> Iterator[str]:
    """Address of the page over the scripted assistant."""
    with _serving(Services(library, scripted, ("How many combinations?",))) as found:
        yield found


@contextmanager
def _opened(
    browser: Browser, address: str, width: int = 1440, height: int = 900, dark: bool = False
) -> Iterator[Page]:
    """The page; closing it checks that it asked no other machine for anything, opened no dialog and logged no error."""
    scheme = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    expect(page.get_by_label("Your question")).to_be_visible(timeout=_WAIT_MS)
    yield page
    assert {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert wrong == []
    assert page.title() == "Ibid"
    context.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with _opened(browser, address) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    with _opened(browser, address, 390, 844) as opened:
        yield opened


def _ask(page: Page, question: str, end: str = "finished") -> Locator:
    """Asks, waits for the end, and gives the turn."""
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    turn = page.locator(".ibid-turn").last
    expect(turn).to_have_attribute("data-state", end, timeout=_WAIT_MS)
    return turn


def _claims(turn: Locator) -> Locator:
    return turn.locator('.ibid-said[role="button"]')


def test_a_sentence_opens_its_paper_with_the_very_words_marked(page: Page) -> None:
    turn = _ask(page, "How many combinations?")
    expect(page.get_by_label("Your question")).to_have_value("")
    _claims(turn).first.click()
    mark = page.locator("#ibid-panel mark.ibid-here")
    expect(mark).to_have_text(_SHOWN)
    start, end = (int(mark.get_attribute(name) or -1) for name in ("data-start", "data-end"))
    assert PAPER.abstract[start:end] == QUOTE
    expect(mark).to_be_in_viewport()
    panel = page.get_by_role("complementary", name="Source")
    expect(panel).to_contain_text("Quoted word for word")
    expect(panel).to_contain_text("Rick Battle, Teja Gollapudi, A. Third")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_markers_and_references_open_the_source_too(page: Page) -> None:
    turn = _ask(page, "How many combinations?")
    for control in (turn.get_by_role("button", name="Source 1"), turn.locator(".ibid-reference")):
        control.click()
        expect(page.locator("#ibid-panel mark.ibid-here")).to_have_text(_SHOWN)
        page.get_by_role("button", name="Close the source").click()


def test_each_verdict_has_its_line_and_its_words(page: Page) -> None:
    turn = _ask(page, "judged")
    expect(_claims(turn)).to_have_count(7)
    lines = turn.locator(".ibid-said").evaluate_all(
        "all => all.map(e => getComputedStyle(e)).map(s => s.textDecorationStyle + s.textDecorationColor + s.textDecorationThickness)"
    )
    assert len(set(lines)) >= 6  # without a source and unchecked share a line; their words differ
    for number, word in ((3, "not supported"), (4, "contradicted")):
        _claims(turn).nth(number).hover()
        expect(page.get_by_role("tooltip")).to_have_text(word)
        _claims(turn).nth(number).click()
        expect(page.locator(".ibid-finding")).to_contain_text("The <b>number</b> is")


def test_a_papers_markup_stays_text(page: Page) -> None:
    turn = _ask(page, "How many <img src=x onerror=alert(1)> combinations? ![x](http://192.0.2.1/z.png)")
    _claims(turn).first.click()
    expect(page.locator("#ibid-panel h3")).to_contain_text("bold <img src=")
    expect(page.locator("#ibid-panel .ibid-abstract")).to_contain_text("javascript:alert(1)")
    assert page.locator("#ibid-chat :is(img, script, iframe, object, embed, a[href^='javascript'])").count() == 0
    assert page.locator("#ibid-panel a").count() == 0
    labels = page.locator("[aria-label], [aria-description]").evaluate_all(
        "all => all.flatMap(e => [e.ariaLabel, e.getAttribute('aria-description')])"
    )
    assert not [label for label in labels if label and "<" in label and "img src" not in label]


def test_a_refusal_looks_different_and_offers_the_nearest_papers(page: Page) -> None:
    turn = _ask(page, "What hardware was used?", "refused")
    expect(turn.locator(".ibid-refusal-title")).to_have_text("Not stated in these abstracts")
    assert turn.locator(".ibid-answer").count() == 0
    turn.locator(".ibid-near").click()
    expect(page.locator("#ibid-panel .ibid-abstract")).to_contain_text("60 combinations")
    page.get_by_role("button", name="Ask this paper only").click()
    expect(page.locator(".ibid-count")).to_have_text("1 of 4 papers")


def test_a_scope_is_counted_and_one_that_holds_no_paper_asks_nothing(page: Page, scripted: ScriptedAssistant) -> None:
    expect(page.locator(".ibid-count")).to_have_text("All 4 papers")
    page.get_by_role("button", name="Author").click()
    page.get_by_label("Find author").fill("ada")
    page.get_by_label("Ada Example").check()
    expect(page.locator(".ibid-count")).to_have_text("1 of 4 papers")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Year").click()
    page.get_by_label("From year").fill("2025")
    page.keyboard.press("Tab")
    expect(page.locator(".ibid-count")).to_contain_text("No paper is in this scope")
    page.keyboard.press("Escape")
    before = len(scripted.asked)
    page.get_by_label("Your question").fill("How many?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("nothing can be asked")
    expect(page.get_by_label("Your question")).to_have_value("How many?")
    assert len(scripted.asked) == before
    page.get_by_role("button", name="Remove from 2025").click()
    expect(page.locator(".ibid-count")).to_have_text("1 of 4 papers")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".ibid-count")).to_have_text("All 4 papers")


def test_questions_in_quick_succession_stay_in_order(page: Page) -> None:
    for question in ("first combinations", "second hardware", "third combinations"):
        page.get_by_label("Your question").fill(question)
        page.keyboard.press("Enter")
    expect(page.locator('.ibid-turn[data-state="finished"], .ibid-turn[data-state="refused"]')).to_have_count(
        3, timeout=_WAIT_MS
    )
    assert page.locator(".ibid-question").all_inner_texts() == [
        "first combinations",
        "second hardware",
        "third combinations",
    ]
    assert page.locator(".ibid-turn").evaluate_all("all => all.map(e => e.dataset.number)") == ["0", "1", "2"]


def test_a_slow_answer_is_stopped_and_asked_again(page: Page, scripted: ScriptedAssistant) -> None:
    page.get_by_label("Your question").fill("slow")
    page.keyboard.press("Enter")
    turn = page.locator(".ibid-turn")
    expect(turn.locator(".ibid-draft")).to_contain_text(_SHOWN[:-1], timeout=_WAIT_MS)
    expect(turn.locator(".ibid-found")).to_be_visible()
    before = len(scripted.closed)
    page.get_by_role("button", name="Stop answering").click()
    expect(turn).to_have_attribute("data-state", "stopped")
    assert len(scripted.closed) == before + 1
    for _ in range(2):  # and after it was loaded anew
        expect(turn).to_contain_text("Stopped here", timeout=_WAIT_MS)
        expect(turn.locator(".ibid-answer")).to_contain_text(_SHOWN[:-1])
        page.reload()
    expect(turn).to_contain_text("Stopped here", timeout=_WAIT_MS)
    turn.get_by_role("button", name="Edit this question").click()
    page.get_by_label("Edit the question").fill("quick")
    page.get_by_role("button", name="Ask from here").click()
    expect(turn).to_have_attribute("data-state", "finished", timeout=_WAIT_MS)
    expect(page.locator(".ibid-turn")).to_have_count(1)


def test_a_question_is_edited_and_asked_from_there(page: Page) -> None:
    _ask(page, "one")
    _ask(page, "two")
    first = page.locator(".ibid-turn").first
    first.get_by_role("button", name="Edit this question").click()
    page.get_by_label("Edit the question").fill("another one")
    page.keyboard.press("Enter")
    expect(page.locator(".ibid-question")).to_have_text(["another one"])
    expect(page.locator(".ibid-turn")).to_have_attribute("data-state", "finished", timeout=_WAIT_MS)
    page.reload()
    expect(page.locator(".ibid-question")).to_have_text(["another one"], timeout=_WAIT_MS)


def test_a_failure_is_shown_as_one_and_can_be_tried_again(page: Page) -> None:
    turn = _ask(page, "broken", "failed")
    expect(turn.get_by_role("alert")).to_contain_text("model 'x' did not answer")
    turn.get_by_role("button", name="Try again").click()
    expect(page.locator(".ibid-turn")).to_have_count(1)
    expect(page.locator(".ibid-turn")).to_have_attribute("data-state", "failed", timeout=_WAIT_MS)


def test_an_answer_is_copied_and_rated(page: Page, library: Library) -> None:
    turn = _ask(page, "How many combinations?")
    turn.get_by_role("button", name="Copy with references").click()
    expect(turn.locator(".ibid-done")).to_have_text("Copied")
    pasted = page.evaluate("navigator.clipboard.readText()")
    assert pasted.startswith(_SHOWN[:-1])
    assert "[1] Rick Battle" in pasted
    turn.get_by_role("button", name="Bad answer").click()
    page.get_by_label("Reason, if you like").fill("too short")
    page.get_by_role("button", name="Save").click()
    expect(turn.locator(".ibid-done")).to_contain_text("noted")
    record = turn.locator(".ibid-tools").get_attribute("data-record") or ""
    assert [(word.rating, word.comment) for word in library.feedback(record)] == [(-1.0, ""), (-1.0, "too short")]


def test_conversations_are_listed_renamed_reopened_and_deleted(page: Page) -> None:
    _ask(page, "a conversation to keep")
    link = page.url
    assert "?conversation=c" in link
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_text("Ask, and see where it says so.")).to_be_visible()
    listed = page.get_by_role("navigation", name="Earlier conversations")
    listed.get_by_role("button", name="Rename, export or delete: a conversation to keep").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New name").fill("kept <b>")
    page.keyboard.press("Enter")
    listed.get_by_role("link", name="kept <b>").click()
    expect(page.locator(".ibid-question")).to_have_text("a conversation to keep", timeout=_WAIT_MS)
    assert page.url == link
    menu = listed.get_by_role("button", name="Rename, export or delete: kept")
    menu.click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export as Markdown").click()
    assert "# kept" in download.value.path().read_text(encoding="utf-8")
    menu.click()
    page.get_by_role("menuitem", name="Delete …").click()
    page.get_by_role("menuitem", name="Delete it and its answers").click()
    expect(listed.get_by_role("link", name="kept <b>")).to_have_count(0)
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("not in this library any more", timeout=_WAIT_MS)


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    page.locator("body").click(position={"x": 700, "y": 300})
    page.keyboard.press("/")
    field = page.get_by_label("Your question")
    expect(field).to_be_focused()
    page.keyboard.type("judged")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("on two lines")
    page.keyboard.press("Enter")
    turn = page.locator(".ibid-turn")
    expect(turn).to_have_attribute("data-state", "finished", timeout=_WAIT_MS)
    expect(turn.locator(".ibid-question")).to_have_text("judgedon two lines")
    page.keyboard.press("ArrowUp")
    expect(_claims(turn).last).to_be_focused()
    expect(page.get_by_role("tooltip")).to_have_text("not checked")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".ibid-place")).to_have_text("Sentence 6 of 7")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".ibid-place")).to_have_text("Sentence 5 of 7")
    expect(_claims(turn).nth(4)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Source")).to_be_hidden()
    expect(_claims(turn).nth(4)).to_be_focused()


def test_the_page_fits_a_phone_and_the_source_is_a_sheet(phone: Page) -> None:
    turn = _ask(phone, "judged " + "long" * 60)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    _claims(turn).nth(6).click()
    panel = phone.get_by_role("complementary", name="Source")
    expect(panel).to_be_visible()
    box = panel.bounding_box()
    assert box is not None
    assert box["width"] == 390
    assert box["y"] > 100
    expect(_claims(turn).nth(6)).to_be_in_viewport()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="Close the source").click()
    phone.get_by_role("button", name="Conversations").click()
    phone.get_by_role("button", name="New conversation").click()
    expect(phone.get_by_text("Ask, and see where it says so.")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollHeight") <= 844


def test_text_can_be_read_in_the_dark(browser: Browser, address: str) -> None:
    with _opened(browser, address, dark=True) as page:
        turn = _ask(page, "judged")
        _claims(turn).first.click()
        expect(page.locator("#ibid-panel mark.ibid-here")).to_be_visible()
        for selector in (
            ".ibid-answer p",
            ".ibid-question",
            "#ibid-panel .ibid-abstract p",
            "mark.ibid-here",
            ".ibid-verdict",
        ):
            assert page.locator(selector).first.evaluate(_CONTRAST) >= 4.5, selector


_CONTRAST = """e => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
  const light = (...colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = [];
  for (let at = e; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
  const [a, b] = [light(getComputedStyle(e).color), light(...behind)].sort((x, y) => y - x);
  return (a + .05) / (b + .05);
}"""


def test_stopping_closes_the_models_request(browser: Browser, tmp_path: Path) -> None:
    slow = Script("PromptLadder grades prompts in five steps [1]. " * 40, pause=0.2)
    with FakeOpenAI(slow) as model, tiny_library(tmp_path / "library", embedder=HashEmbedder()) as library:
        settings = Settings(chat_model="fake", chat_base_url=model.base_url)
        assistant = Assistant(library, settings=settings, selector=None)
        with _serving(Services(library, assistant)) as address, _opened(browser, address) as page:
            page.get_by_label("Your question").fill("What is PromptLadder?")
            page.keyboard.press("Enter")
            expect(page.locator(".ibid-draft .ibid-claim").first).to_be_visible(timeout=_WAIT_MS)
            page.get_by_role("button", name="Stop answering").click()
            assert model.left.wait(_WAIT_MS / 1000)
            expect(page.locator(".ibid-turn")).to_have_attribute("data-state", "stopped")


@contextmanager
def _served(library: Path, port: int) -> Iterator[str]:
    """The line that `ibid serve` prints."""
    program = [sys.executable, "-c", "from assistant.cli import main; main()"]
    command = [*program, "serve", "--library", str(library), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
    try:
        assert server.stdout is not None
        yield server.stdout.readline()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def test_a_conversation_goes_on_after_the_server_was_restarted(browser: Browser, bundled_copy: Path) -> None:
    with (
        Library.open(bundled_copy) as library,
        _serving(Services(library, Assistant(library), questions_for(library))) as address,
    ):
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        page.get_by_text("How many combinations of system message snippets were assessed?").click(timeout=_WAIT_MS)
        turn = page.locator(".ibid-turn")
        expect(turn).to_have_attribute("data-state", "finished", timeout=_WAIT_MS)
        _claims(turn).first.click()
        mark = page.locator("#ibid-panel mark.ibid-here")
        expect(mark).to_contain_text("60 combinations of system message snippets", timeout=_WAIT_MS)
        assert mark.inner_text() in clean(CORPUS.read_text(encoding="utf-8")).text
    expect(page.locator(".ibid-away")).to_be_visible(timeout=_WAIT_MS)
    with _served(bundled_copy, urlparse(address).port or 0) as line:
        assert f"{address} over 59 papers" in line
        expect(page.locator(".ibid-away")).to_be_hidden(timeout=_WAIT_MS)
        page.reload()
        expect(turn.locator(".ibid-question")).to_contain_text("system message snippets", timeout=_WAIT_MS)
        _claims(turn).first.click()
        expect(mark).to_contain_text("60 combinations of system message snippets")
        context.close()
