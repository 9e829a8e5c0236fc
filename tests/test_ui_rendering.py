"""The page's HTML: nothing from a paper or a question may become markup, and a mark stands where the citation says."""

from __future__ import annotations

import dataclasses
import html
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answers import Abstention, Answer, Claim, Finding
from assistant.cleaning import clean
from assistant.papers import Paper, Span
from tests.scripted_assistant import PAPER, QUOTE, answered, citation, judged, refused, retrieved
from ui import rendering
from ui.chat import panel, turns
from ui.chat.stored import Recalled

_OURS = {
    "div",
    "span",
    "p",
    "blockquote",
    "em",
    "strong",
    "ul",
    "ol",
    "li",
    "br",
    "b",
    "i",
    "small",
    "section",
    "header",
}
_OURS |= {"h2", "h3", "button", "template", "svg", "path", "rect", "mark", "a"}
_TEXT = st.text(min_size=1, max_size=80) | st.sampled_from(
    ["</div><script>x</script>", '" onload="x', "' onfocus='x", "&lt;b&gt;", "a\n\nb", "</template><img src=x>"]
)


class _Elements(HTMLParser):
    """Every element, attribute and address of a fragment, its marks with their offsets, and its text."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.marks: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._in_mark = False
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        for name, value in attrs:
            self.values.setdefault(name, []).append(value or "")
        if tag == "mark":
            self.marks.append((dict(attrs), ""))
            self._in_mark = True

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = self._in_mark and tag != "mark"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_mark:
            attributes, text = self.marks[-1]
            self.marks[-1] = (attributes, text + data)


def _paper_saying(text: str) -> Paper:
    return Paper(
        id="title:1", title=text, abstract=text, authors=(text,), venue=text, url=text, doi=text, arxiv_id=text
    )


def _recalled(answer: Answer) -> Recalled:
    return Recalled(answer, {})


@settings(max_examples=50, deadline=None)
@given(_TEXT)
def test_any_text_stays_text(text: str) -> None:
    where = dataclasses.replace(citation(), paper=_paper_saying(text), quote=text, start=0, end=len(text))
    claim = Claim(f"{text} [1]", 0, len(text) + 4, "partial", 0.5, (where,), (Finding("number", text),))
    answer = Answer(text, text, "answered", f"{text} [1]", (claim,), (where,), None, text, text, notes=(text,))
    refusal = Abstention("nothing_relevant", text, (where.paper,))
    found = dataclasses.replace(
        retrieved(text), hits=tuple(dataclasses.replace(h, paper=where.paper) for h in retrieved(text).hits)
    )
    for fragment in (
        turns.looking(text),
        turns.found(text, found),
        turns.writing(text, found, answer.text, answer.claims),
        turns.finished(answer, 0, filters={"authors": (text,)}),
        turns.finished(
            dataclasses.replace(answer, status="abstained", claims=(), citations=(), abstention=refusal), 0
        ),
        turns.failed(text, text),
        turns.stopped(text, answer.text, answer.claims),
        panel.claim(_recalled(answer), 0),
        panel.source(_recalled(answer), "1"),
        panel.paper(where.paper, Span(0, 1)),
    ):
        elements = _Elements(fragment)
        assert elements.seen <= _OURS
        assert not {
            name for name in elements.attributes if name.startswith("on") or name in ("src", "style", "srcset")
        }
        assert all(
            address.startswith(("https://doi.org/", "https://arxiv.org/abs/", "http"))
            for address in elements.values.get("href", ())
        )


def test_an_answer_shows_its_sentences_and_references_as_controls() -> None:
    fragment = turns.finished(answered("How many?"), 2)
    elements = _Elements(fragment)
    assert QUOTE.replace("$", "")[:-1] in elements.text
    assert "Rick Battle, Teja Gollapudi, A. Third et al. · 2024" in elements.text
    assert 'role="button" tabindex="0"' in fragment
    assert 'aria-description="quoted word for word; opens the source"' in fragment
    assert 'data-number="2"' in fragment
    assert "ibid-refusal" not in fragment


def test_what_screen_readers_are_told_holds_no_markup() -> None:
    for fragment in (turns.finished(judged("?"), 0), panel.claim(_recalled(judged("?")), 2)):
        values = _Elements(fragment).values
        for said in [*values.get("aria-label", ()), *values.get("aria-description", ())]:
            assert "<" not in said
            assert ">" not in said


@pytest.mark.parametrize("number", range(7))
def test_every_verdict_is_told_in_words_and_by_a_line_of_its_own(number: int) -> None:
    answer = judged("?")
    claim = answer.claims[number]
    label = rendering.VERDICT_LABELS[claim.verdict]
    fragment = turns.finished(answer, 0)
    assert f"ibid-claim ibid-{claim.verdict}" in fragment
    assert f'data-says="{label}"' in fragment
    told = panel.claim(_recalled(answer), number)
    assert label.capitalize() in told
    assert rendering.VERDICT_MEANINGS[claim.verdict] in html.unescape(told)
    for finding in claim.findings:
        assert html.escape(finding.message)[4:] in told


def test_a_marker_within_a_quotation_that_is_no_citation_stays_text() -> None:
    base = answered("?")
    claim = Claim("As [7] shows, it holds [1].", 0, 27, "quoted", 1.0, (citation(),))
    fragment = turns.finished(dataclasses.replace(base, text=claim.text, claims=(claim,)), 0)
    assert 'data-key="1"' in fragment
    assert 'data-key="7"' not in fragment


def test_citations_of_one_key_share_a_reference() -> None:
    both = (citation(), citation("for more."))
    answer = dataclasses.replace(answered("?"), citations=both)
    assert turns.finished(answer, 0).count('class="ibid-reference"') == 1
    marks = _Elements(panel.source(_recalled(answer), "1")).marks
    assert [text for _, text in marks] == [clean(QUOTE).text, "for more."]


def test_a_refusal_is_not_dressed_as_an_answer() -> None:
    answer = refused("What hardware?")
    fragment = turns.finished(answer, 0)
    assert "ibid-refusal" in fragment
    assert "ibid-answer" not in fragment
    assert html.escape(answer.text) in fragment
    assert "Closest papers here" in fragment


def test_notes_are_shown() -> None:
    noted = dataclasses.replace(answered("?"), notes=("fell back to quotes",))
    assert "fell back to quotes" in turns.finished(noted, 0)


def test_titles_that_lead_are_shown_and_text_is_cleaned_for_the_eye() -> None:
    quote = "It saves 77\\% of the steps."
    where = dataclasses.replace(citation(), paper=_paper_saying("A Paper"), quote=quote)
    said = f"{quote} [1]"
    text = f"A Paper: {said}\nA Paper: {said}"
    starts = [position for position in range(len(text)) if text.startswith(said, position)]
    claims = tuple(Claim(said, start, start + len(said), "quoted", 1.0, (where,)) for start in starts)
    answer = Answer("q", "q", "answered", text, claims, (where,), None, "r", "quotes")
    fragment = turns.finished(answer, 0)
    shown = _Elements(fragment[: fragment.index("<template")]).text
    assert shown.count("A Paper:") == 2
    assert "77% of the steps" in shown
    assert "\\%" not in shown


def test_a_follow_up_shows_what_it_was_read_as_and_a_scope_whom_it_was_asked_of() -> None:
    for value in (answered("How many?"), refused("How many?")):
        assert "ibid-about" not in turns.finished(value, 0)
        read = turns.finished(dataclasses.replace(value, query="How many in A < B?", notes=("a note",)), 0)
        assert "Read as: How many in A &lt; B?" in read
        assert "a note" in read
        asked = turns.finished(value, 0, filters={"year_from": 2020, "year_to": 2024, "authors": ["Ada"]})
        assert "Asked of: 2020–2024 · Ada" in asked


def test_what_is_copied_has_the_references() -> None:
    text = turns.plain(answered("?"))
    assert text.startswith(clean(QUOTE).text[:-1])
    assert "\n\n[1] Rick Battle" in text


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_mark_holds_what_its_offsets_say(data: st.DataObject) -> None:
    abstract = data.draw(st.sampled_from([PAPER.abstract, "Gains of 77\\% in {\\em all} cases. So what?\nYes. " * 3]))
    ends = sorted(data.draw(st.lists(st.integers(0, len(abstract)), min_size=2, max_size=6, unique=True)))
    spans = [Span(a, b) for a, b in zip(ends[::2], ends[1::2], strict=False)]
    paper = dataclasses.replace(PAPER, abstract=abstract)
    for span in spans:
        cleaned = clean(abstract)
        shown = cleaned.cleaned_span(span.start, span.end)
        marks = _Elements(panel.paper(paper, span)).marks
        assert [text for _, text in marks] == (
            [cleaned.text[shown.start : shown.end]] if shown.start < shown.end else []
        )
        for attributes, _ in marks:
            assert (attributes["data-start"], attributes["data-end"]) == (str(span.start), str(span.end))


def test_only_addresses_made_from_a_record_become_links() -> None:
    assert rendering.links(PAPER) == ""
    paper = Paper("doi:10.1/a", "T", "A", doi='10.1/a"><b', arxiv_id="2401.00001", url="https://example.org/x")
    elements = _Elements(rendering.links(paper))
    assert elements.values["href"] == [
        "https://doi.org/10.1/a%22%3E%3Cb",
        "https://arxiv.org/abs/2401.00001",
        "https://example.org/x",
    ]
    assert set(elements.values["rel"]) == {"noopener noreferrer"}
