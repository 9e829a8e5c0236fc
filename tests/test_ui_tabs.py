"""The tabs beside the chat in a real browser: papers, evals and settings, light and dark, judged by axe too."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, expect

from assistant import Assistant
from assistant.library import Library
from assistant.papers import Paper
from assistant.settings import Settings
from assistant.testing import HashEmbedder, tiny_library
from evals import run
from evals.cases import parse
from ingest.syncing import sync
from ui.server import application, listen
from ui.services import Services
from ui.settings.running import Running

AXE = Path(__file__).parent / "data" / "axe.min.js"
KEY = "sk-a-key-that-nobody-may-see"
_WAIT_MS = 30_000
pytestmark = pytest.mark.timeout(900)

_SUBJECTS = {
    "coral": "Coral reefs bleach when the summer sea is warm. Reef fish leave bleached coral.",
    "prompt": "Prompt wording changes what a language model answers. Model answers vary with prompt order.",
    "bridge": "Steel bridges crack under heavy trucks. Bridge inspection finds cracks in steel early.",
}
PAPERS = [
    Paper(
        id=f"title:{subject}{number:02}",
        title=f"{subject.capitalize()} study {number:02}",
        abstract=f"{text} Study {number} counted {100 + number} cases.",
        authors=(f"Author {chr(65 + number % 26)}. {subject.capitalize()}", "Ada Byron"),
        year=2000 + number,
        venue="Letters" if number % 2 else None,
    )
    for subject, text in _SUBJECTS.items()
    for number in range(20)
]
HOSTILE = Paper(
    id="title:hostile",
    title="<img src=http://192.0.2.1/x> [x](javascript:alert(1)) hostile",
    abstract='<script>fetch("http://192.0.2.1")</script> ![x](http://192.0.2.1/i.png) A hostile coral abstract.',
    authors=("<b>Mallory</b>",),
    year=1999,
)
CASES = [
    parse(
        {
            "id": f"c{number}",
            "kind": "fact" if papers else "unanswerable",
            "split": "dev",
            "question": question,
            "papers": papers,
            "facts": facts,
            "answerable": bool(papers),
            **({} if papers else {"reason": "nothing_relevant"}),
        },
        "a test",
    )
    for number, (question, papers, facts) in enumerate(
        [
            ("How many cases did coral study 4 count?", ["Coral study 04"], ["104"]),
            ("What do bridges of steel crack under?", ["Bridge study 01"], ["trucks"]),
            ("What is the boiling point of xenon?", [], []),
        ]
    )
]


@dataclass(frozen=True)
class Site:
    address: str
    library: Library
    running: Running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tabs") / "library"
    settings = Settings(models=tmp_path_factory.mktemp("no-models"))
    with tiny_library(folder, papers=[*PAPERS, HOSTILE], embedder=HashEmbedder()) as library:
        for name, strictness in (("first", "balanced"), ("second", "strict")):
            asked = Assistant(library, settings=Settings(strictness=strictness), selector=None)
            run(asked, CASES, library=library, out=folder / "runs" / name)
        running = Running(Assistant(library, settings=settings, selector=None))
        with _serving(Services(library, running)) as address:
            yield Site(address, library, running)


@contextmanager
def _serving(services: Services) -> Iterator[str]:
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(application(services), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 120
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """One page for all tests; at the end it asked no other machine for anything and logged no error."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    opened = context.new_page()
    opened.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    asked: list[str] = []
    wrong: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    opened.goto(site.address, timeout=_WAIT_MS)
    expect(opened.get_by_label("Your question")).to_be_visible()
    yield opened
    expect.set_options(timeout=5_000)
    assert {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert wrong == []
    context.close()


def _tab(page: Page, name: str) -> Locator:
    page.get_by_role("tab", name=name, exact=True).click()
    return page.locator({"Papers": "#ibid-shelf", "Evals": "#ibid-evals", "Settings": "#ibid-settings"}[name])


def _rows(page: Page) -> Locator:
    return page.locator("#ibid-shelf tbody tr[data-paper]")


def _range(page: Page) -> Locator:
    return page.locator("[data-range]")


def _all_papers(page: Page) -> None:
    _tab(page, "Papers")
    page.keyboard.press("Escape")
    find = page.get_by_label("Search the papers")
    find.fill("")
    if page.get_by_label("Show all groups").count():
        page.get_by_label("Show all groups").click()
    expect(_range(page)).to_have_text(re.compile(r"^1–50 of 6\d$"))


def test_papers_are_paged_searched_and_sorted(page: Page) -> None:
    _tab(page, "Papers")
    expect(_range(page)).to_have_text("1–50 of 61")
    expect(_rows(page)).to_have_count(50)
    page.get_by_label("More papers").click()
    expect(_range(page)).to_have_text("51–61 of 61")
    expect(_rows(page)).to_have_count(11)
    page.get_by_label("Search the papers").fill("bridge 2007")
    expect(_rows(page)).to_have_count(1)
    expect(_rows(page)).to_contain_text("Bridge study 07")
    page.get_by_label("Search the papers").fill("nobody wrote this")
    expect(page.get_by_text("No paper matches")).to_be_visible()
    page.get_by_role("button", name="Show all papers").click()
    expect(_range(page)).to_have_text("1–50 of 61")
    page.get_by_role("button", name="Year").click()
    expect(page.locator('th[data-order="year"]')).to_have_attribute("aria-sort", "descending")
    expect(_rows(page).first).to_contain_text("2019")
    page.get_by_role("button", name="Year").click()
    expect(_rows(page).first).to_contain_text("1999")
    page.get_by_role("button", name="Title").click()
    expect(_rows(page).nth(1)).to_contain_text("Bridge study 00")


def test_nothing_that_a_paper_says_becomes_part_of_the_page(page: Page) -> None:
    _all_papers(page)
    page.get_by_label("Search the papers").fill("hostile")
    expect(_rows(page)).to_have_count(1)
    expect(_rows(page)).to_contain_text("Mallory")
    _rows(page).get_by_role("button").click()
    pane = page.get_by_role("complementary", name="Paper", exact=True)
    expect(pane.locator("h3")).to_contain_text("<img src=http://192.0.2.1/x>")
    expect(pane).to_contain_text("<script>")
    assert page.locator("#ibid-shelf img, #ibid-shelf tbody b, #ibid-shelf script").count() == 0


def test_a_paper_opens_with_all_that_is_known_and_its_neighbours(page: Page) -> None:
    _all_papers(page)
    page.get_by_label("Search the papers").fill("coral study 04")
    _rows(page).get_by_role("button", name="Coral study 04").click()
    pane = page.get_by_role("complementary", name="Paper", exact=True)
    expect(pane.locator("h3")).to_have_text("Coral study 04")
    expect(pane.locator(".ibid-abstract")).to_contain_text("counted 104 cases")
    pane.get_by_text("Details").click()
    expect(pane.locator(".ibid-facts")).to_contain_text("title:coral04")
    pane.get_by_text("1 passage, as searched").click()
    expect(pane.locator(".ibid-passages li")).to_contain_text("characters 0–")
    similar = pane.locator(".ibid-similar .ibid-card")
    expect(similar).to_have_count(6)
    assert all("Coral" in text for text in similar.all_inner_texts())
    similar.first.click()
    expect(pane.locator("h3")).not_to_have_text("Coral study 04")
    page.keyboard.press("Escape")
    expect(pane).to_be_hidden()


def test_tags_note_and_fields_are_changed_and_given_back(page: Page, site: Site) -> None:
    _all_papers(page)
    page.get_by_label("Search the papers").fill("coral study 05")
    _rows(page).get_by_role("button", name="Coral study 05").click()
    pane = page.get_by_role("complementary", name="Paper", exact=True)
    pane.get_by_label("Add a tag").fill("thesis, to read")
    page.keyboard.press("Enter")
    expect(pane.locator(".ibid-tags .ibid-chip")).to_have_text(["thesis", "to read"])
    expect(pane.get_by_label("Add a tag")).to_be_focused()
    expect(_rows(page).locator(".ibid-tag")).to_have_text(["thesis", "to read"])
    expect(pane.get_by_role("button", name="Save note")).to_be_hidden()
    pane.get_by_label("Your note").fill("Count <b>again</b>.\nAsk Ada.")
    pane.get_by_role("button", name="Save note").click()
    expect(pane.get_by_role("button", name="Save note")).to_be_hidden()
    assert site.library.paper("title:coral05").note == "Count <b>again</b>.\nAsk Ada."
    expect(pane.get_by_label("Your note")).to_have_value("Count <b>again</b>.\nAsk Ada.")
    pane.get_by_label("Take away the tag to read").click()
    expect(pane.locator(".ibid-tags .ibid-chip")).to_have_text(["thesis"])
    pane.get_by_text("Details, and where").click()
    year = pane.locator('dd[data-field="year"]')
    year.hover()
    year.get_by_role("button", name="Correct: Year").click()
    year.get_by_label("Correct: Year").fill("soon")
    page.keyboard.press("Enter")
    expect(year.get_by_role("alert")).to_contain_text("is no year")
    year.get_by_label("Correct: Year").fill("1987")
    page.keyboard.press("Enter")
    expect(year).to_contain_text("1987")
    expect(year).to_contain_text("from you")
    expect(_rows(page).locator(".ibid-year")).to_have_text("1987")
    year.get_by_role("button", name="Correct: Year").click()
    year.get_by_role("button", name="As the sources say").click()
    expect(year).to_contain_text("2005")
    volume = pane.locator('dd[data-field="volume"]')
    volume.hover()
    volume.get_by_role("button", name="Correct: Volume").click()
    volume.get_by_label("Correct: Volume").fill("12")
    page.keyboard.press("Enter")
    expect(volume).to_contain_text("12")
    expect(volume).to_contain_text("from you")
    assert site.library.paper("title:coral05").detail("volume") == "12"
    volume.get_by_role("button", name="Correct: Volume").click()
    volume.get_by_role("button", name="As the sources say").click()
    expect(volume).to_contain_text("none")
    for search in ("again ada", "thesis"):
        page.get_by_label("Search the papers").fill(search)
        expect(_rows(page)).to_have_count(1)
    page.keyboard.press("Escape")


def test_a_paper_can_be_asked_by_itself(page: Page) -> None:
    _all_papers(page)
    page.get_by_label("Search the papers").fill("coral study 04")
    _rows(page).get_by_role("button", name="Coral study 04").click()
    page.get_by_role("button", name="Ask this paper only").click()
    expect(page.get_by_label("Your question")).to_be_visible()
    expect(page.locator(".ibid-scope")).to_contain_text("Coral study 04")
    expect(page.locator(".ibid-scope")).to_contain_text("1 of 61")
    page.locator(".ibid-scope").get_by_role("button").last.click()


def test_the_map_filters_the_table(page: Page, site: Site) -> None:
    _all_papers(page)
    points = page.locator(".ibid-point")
    expect(points).to_have_count(61)
    groups = page.get_by_role("list", name="Groups of papers").get_by_role("button")
    assert groups.count() >= 3
    assert any("coral" in text.lower() for text in groups.all_inner_texts())
    size = int(groups.first.locator("small").inner_text())
    groups.first.click()
    expect(groups.first).to_have_attribute("aria-pressed", "true")
    expect(_range(page)).to_have_text(f"1–{size} of {size}")
    expect(page.locator(".ibid-point.ibid-dim")).to_have_count(61 - size)
    page.get_by_label("Show all groups").click()
    expect(_range(page)).to_have_text("1–50 of 61")
    chosen = site.library.papers_by_id([points.first.get_attribute("data-paper") or ""])
    points.first.dispatch_event("click")
    expect(page.locator("[data-one] h3")).to_have_text(next(iter(chosen.values())).title)


def test_the_map_is_looked_at_more_closely(page: Page) -> None:
    _all_papers(page)
    points = page.locator("[data-chart] .ibid-point")
    expect(points).to_have_count(61)
    whole = page.get_by_role("button", name="The whole map")
    expect(whole).to_be_disabled()
    before = points.first.bounding_box()
    for _ in range(6):
        page.get_by_role("button", name="Zoom in").click()
    expect(whole).to_be_enabled()
    page.wait_for_timeout(200)
    assert points.first.bounding_box() != before
    chart = page.locator("[data-chart]").bounding_box()
    assert chart is not None
    middle = (chart["x"] + chart["width"] / 2, chart["y"] + chart["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.wheel(0, 400)
    page.mouse.down()
    page.mouse.move(middle[0] + 90, middle[1] + 60, steps=4)
    page.mouse.up()
    expect(page.get_by_role("complementary", name="Map")).to_be_visible()  # dragging opened no paper
    whole.click()
    page.wait_for_timeout(200)
    assert points.first.bounding_box() == before


def test_good_and_broken_files_are_reported_on(page: Page, tmp_path: Path, site: Site) -> None:
    _all_papers(page)
    good, broken, wrong = (tmp_path / name for name in ("good.bib", "broken.jsonl", "program.exe"))
    good.write_text(
        "@article{k, title={A tide of kelp}, author={Kelp, Ada}, year={2021}, abstract={Kelp grows fast.}}"
    )
    broken.write_text('{"title": "Whole kelp", "abstract": "Kelp again."}\n{"title": "Broken", \n')
    wrong.write_bytes(b"MZ")
    page.get_by_role("button", name="Add papers").first.click()
    page.locator("[data-files]").set_input_files([str(good), str(broken)])
    report = page.locator(".ibid-report")
    expect(report).to_contain_text("2 added")
    expect(report).to_contain_text("1 rejected")
    expect(report.locator(".ibid-rejected")).to_contain_text("broken.jsonl:2")
    expect(_range(page)).to_have_text("1–50 of 63")
    report.get_by_role("button", name="A tide of kelp").click()
    expect(page.locator("[data-one] h3")).to_have_text("A tide of kelp")
    page.get_by_role("button", name="Add papers").first.click()
    page.locator("[data-files]").set_input_files(str(wrong))
    expect(page.locator("[data-outcome] .ibid-failure")).to_contain_text("not taken")
    assert site.library.count() == 63


def test_files_are_dropped_anywhere_on_the_tab(page: Page, site: Site) -> None:
    _all_papers(page)
    dropped = page.evaluate_handle(
        """(text) => {
          const moved = new DataTransfer();
          moved.items.add(new File([text], "dropped.jsonl", { type: "application/x-ndjson" }));
          return moved;
        }""",
        '{"title": "A dropped study", "abstract": "Dropped files count 77 cases.", "authors": ["Ada Byron"]}\n',
    )
    over = page.locator("#ibid-shelf tbody")
    over.dispatch_event("dragenter", {"dataTransfer": dropped})
    expect(page.get_by_text("Drop to add these files")).to_be_visible()
    over.dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.get_by_text("Drop to add these files")).to_be_hidden()
    expect(page.locator("[data-outcome]")).to_contain_text("Done with dropped.jsonl")
    expect(page.locator("[data-outcome]")).to_contain_text("A dropped study")
    found = next(paper for paper in site.library.papers() if paper.title == "A dropped study")
    site.library.remove([found.id])
    page.keyboard.press("Escape")


def test_a_source_is_checked_then_brought_in_and_nothing_goes_unasked(page: Page, site: Site, tmp_path: Path) -> None:
    lines = [
        f'{{"title": "Synced {number}", "abstract": "Text of {number}.", "doi": "10.1000/{number}"}}'
        for number in (1, 2, 3)
    ]
    file = tmp_path / "refs.jsonl"
    file.write_text("\n".join(lines[:2]))
    sync(site.library, str(file))
    file.write_text("\n".join(lines[1:]))
    _all_papers(page)
    before = site.library.count()
    page.get_by_role("button", name="Add papers").first.click()
    source, outcome = page.locator(".ibid-remembered li"), page.locator("[data-outcome]")
    expect(source).to_contain_text("refs.jsonl")
    expect(source).to_contain_text("2 papers, synced")
    source.get_by_label("also look for papers to remove").check()
    source.get_by_role("button", name="Check for changes").click()
    expect(outcome).to_contain_text("refs.jsonl: what would change")
    expect(outcome).to_contain_text("1 paper no longer there: would be removed")
    expect(outcome.get_by_role("button", name="Synced 1")).to_be_visible()
    assert site.library.count() == before
    outcome.get_by_role("button", name="Not now").click()
    expect(outcome).to_be_empty()
    source.get_by_role("button", name="Check for changes").click()  # without what would be removed: it was drawn anew
    expect(outcome).to_contain_text("1 paper no longer there: kept")
    outcome.get_by_role("button", name="Bring in").click()
    expect(outcome).to_contain_text("Done with refs.jsonl")
    assert {site.library.paper(f"10.1000/{number}").title for number in (1, 2, 3)} == {
        "Synced 1",
        "Synced 2",
        "Synced 3",
    }
    assert _violations(page) == []
    source.get_by_role("button", name="Forget refs.jsonl; its papers stay").click()
    expect(source).to_have_count(0)
    expect(page.get_by_role("button", name="Zotero on this computer")).to_be_visible()
    site.library.remove([f"10.1000/{number}" for number in (1, 2, 3)])
    page.keyboard.press("Escape")


def test_one_paper_is_typed_in_and_removed_again(page: Page, site: Site) -> None:
    _all_papers(page)
    page.get_by_role("button", name="Add papers").first.click()
    page.get_by_text("Type one in").click()
    form = page.locator("#ibid-shelf [data-form]")
    form.get_by_role("button", name="Add this paper").click()
    expect(form.get_by_role("alert")).to_have_text("A paper needs a title.")
    for label, text in {"Title": "Typed by hand", "Abstract": "It was typed.", "Authors": "A. Hand; B. Hand"}.items():
        form.get_by_label(label).fill(text)
    form.get_by_label("Year").fill("2025")
    form.get_by_role("button", name="Add this paper").click()
    expect(page.locator(".ibid-report")).to_contain_text("1 added")
    found = site.library.paper("Typed by hand")
    assert (found.authors, found.year, found.abstract) == (("A. Hand", "B. Hand"), 2025, "It was typed.")
    before = site.library.count()
    page.get_by_label("Search the papers").fill("typed by hand")
    expect(_rows(page)).to_have_count(1)
    _rows(page).get_by_role("checkbox").check()
    page.locator("[data-narrowed]").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("dialog")).to_contain_text("Remove this paper")
    page.get_by_role("dialog").get_by_role("button", name="Keep").click()
    assert site.library.count() == before
    page.locator("[data-narrowed]").get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No paper matches")).to_be_visible()
    assert site.library.count() == before - 1


def test_a_run_is_shown_with_its_cases_and_their_answers(page: Page) -> None:
    evals = _tab(page, "Evals")
    evals.locator('[data-runs] [data-run="first"]').click()
    expect(evals.get_by_role("heading", level=2)).to_contain_text("first")
    expect(evals.locator(".ibid-interval").first).to_be_visible()
    cases = evals.locator(".ibid-cases li")
    expect(cases).to_have_count(3)
    evals.get_by_label("Search the cases").fill("coral")
    expect(evals.locator(".ibid-cases li:not([hidden])")).to_have_count(1)
    evals.locator(".ibid-cases li:not([hidden]) button").click()
    pane = evals.get_by_role("complementary", name="Case")
    expect(pane.locator(".ibid-question")).to_have_text("How many cases did coral study 4 count?")
    expect(pane.locator(".ibid-answer, .ibid-refusal")).to_have_count(1)
    expect(pane.locator(".ibid-scores")).to_contain_text("Correct")
    if pane.locator('.ibid-said[role="button"]').count():
        pane.locator('.ibid-said[role="button"]').first.click()
        expect(pane.locator("mark.ibid-here").first).to_be_visible()
        pane.get_by_label("Back to the case").click()
    page.keyboard.press("Escape")
    expect(pane).to_be_hidden()


def test_two_runs_are_compared_with_statistics(page: Page) -> None:
    evals = _tab(page, "Evals")
    evals.locator('[data-runs] [data-run="second"]').click()
    evals.get_by_label("Compare with").select_option("first")
    expect(evals.get_by_role("heading", level=2)).to_contain_text("first → second")
    expect(evals).to_contain_text("3 cases in both.")
    expect(evals.locator(".ibid-badge").first).to_be_visible()
    evals.get_by_role("button", name="Back to first").click()
    expect(evals.locator(".ibid-cases li")).to_have_count(3)


def _apply(page: Page) -> str:
    """Applies the settings, and gives what the server said."""
    with page.expect_response(lambda reply: reply.url.endswith("/settings/use")) as reply:
        page.locator("#ibid-settings").get_by_role("button", name="Apply").click()
    expect(page.locator("[data-applied]")).not_to_contain_text("Applying")
    return reply.value.text()


def test_settings_apply_to_the_running_assistant_and_never_show_the_key(page: Page, site: Site) -> None:
    settings = _tab(page, "Settings")
    expect(settings.get_by_role("radio", name="The abstracts’ own sentences")).to_be_checked()
    settings.get_by_role("radio", name="Strict Refuses").check()
    settings.get_by_label("papers read for an answer").fill("12")
    _apply(page)
    expect(settings.locator("[data-applied]")).to_contain_text("Applied")
    assert (site.running.settings.strictness, site.running.settings.papers) == ("strict", 12)

    settings.get_by_role("radio", name="A server").check()
    settings.get_by_label("Model", exact=True).first.fill("tiny")
    settings.get_by_label("Address").fill("ftp://nowhere")
    _apply(page)
    expect(settings.get_by_role("alert")).to_contain_text("must start with http")
    settings.get_by_label("Address").fill("http://127.0.0.1:9/v1")
    settings.get_by_label("Key").fill(KEY)
    said = _apply(page)
    expect(settings.locator("[data-applied]")).to_contain_text("Applied")
    key = site.running.settings.chat_api_key
    assert key is not None
    assert key.get_secret_value() == KEY
    expect(settings.get_by_label("Key")).to_have_value("")
    expect(settings.locator("[data-key]")).to_contain_text("A key is in use")
    assert KEY not in said + page.content() + page.evaluate("fetch('settings/now').then((reply) => reply.text())")
    settings.get_by_label("Address").fill("http://127.0.0.1:10/v1")  # another place: the key doesn't go there
    _apply(page)
    expect(settings.locator("[data-key]")).to_contain_text("Held in this server")
    assert site.running.settings.chat_api_key != key
    settings.get_by_role("radio", name="The abstracts’ own sentences").check()
    _apply(page)
    expect(settings.locator("[data-model]")).to_be_hidden()
    files = [path for path in site.library.path.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in path.read_bytes() for path in files)


def test_what_the_doctor_finds_is_mended_by_a_button(page: Page, site: Site) -> None:
    left = site.library.path / "index" / "999999"
    left.mkdir(parents=True)
    settings = _tab(page, "Settings")
    settings.get_by_role("button", name="Check again").click()
    finding = settings.locator(".ibid-findings .ibid-bad", has_text="999999")
    expect(finding).to_have_count(1, timeout=2 * _WAIT_MS)
    finding.get_by_role("button", name="Make the indexes anew").click()
    expect(settings.locator("[data-mending]")).to_have_text("Mended.", timeout=2 * _WAIT_MS)
    expect(finding).to_have_count(0, timeout=2 * _WAIT_MS)  # the doctor looks again
    assert not left.exists()


def _violations(page: Page) -> list[str]:
    if not page.evaluate("Boolean(globalThis.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{one['id']} ({one['impact']}): {[node['html'][:160] for node in one['nodes'][:4]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, scheme: str) -> None:
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", scheme == "dark")
    try:
        for name in ("Papers", "Evals", "Settings"):
            root = _tab(page, name)
            expect(root).to_be_visible()
            page.wait_for_timeout(400)
            assert _violations(page) == [], name
        _all_papers(page)
        _rows(page).first.get_by_role("button").click()
        expect(page.locator("[data-one] h3")).to_be_visible()
        assert _violations(page) == [], "a paper"
    finally:
        page.evaluate("document.body.classList.remove('dark')")


@pytest.mark.parametrize("name", ["Papers", "Evals", "Settings"])
def test_a_phone_is_wide_enough(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        _tab(page, name)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        page.set_viewport_size({"width": 1440, "height": 900})
