"""The page's HTML: nothing from a paper or a question may become markup."""

from __future__ import annotations

import dataclasses
import html
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answers import Answer, Claim, Finding
from assistant.papers import Paper
from tests.scripted_assistant import QUOTE, answered, citation, refused
from ui import rendering


class _Elements(HTMLParser):
    """Collects every element and attribute of a fragment, and its text."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


_OURS = {"div", "span", "p", "blockquote", "em", "strong", "ul", "li", "br"}


def _paper_saying(text: str) -> Paper:
    return Paper(id="title:1", title=text, abstract=text, authors=(text,), venue=text)


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=80)
    | st.sampled_from(["</div><script>x</script>", '" onload="x', "&lt;b&gt;", "a\n\nb"])
)
def test_any_text_stays_text(text: str) -> None:
    where = dataclasses.replace(citation(), paper=_paper_saying(text), quote=text)
    claim = Claim(text, 0, len(text), "partial", 0.5, (where,), (Finding("number", text),))
    answer = Answer(text, text, "answered", text, (claim,), (where,), None, "r", text, notes=(text,))
    for fragment in (
        rendering.answer(answer),
        rendering.question(text),
        rendering.draft(text),
        rendering.failure(text),
    ):
        elements = _Elements(fragment)
        assert elements.seen <= _OURS
        assert elements.attributes <= {"class", "title", "role"}
        assert "\n" not in fragment


def test_an_answer_shows_markers_references_and_quotes() -> None:
    elements = _Elements(rendering.answer(answered("How many?")))
    assert QUOTE.replace("$", "") in elements.text
    assert "Rick Battle, Teja Gollapudi, A. Third et al. · 2024" in elements.text
    assert "ibid-refusal" not in rendering.answer(answered("How many?"))


def test_citations_of_one_key_share_a_reference() -> None:
    both = (citation(), citation("for more."))
    answer = dataclasses.replace(answered("?"), citations=both)
    fragment = rendering.answer(answer)
    assert fragment.count('class="ibid-reference"') == 1
    assert fragment.count("<blockquote>") == 2


@pytest.mark.parametrize("verdict", sorted(rendering.VERDICT_LABELS))
def test_every_verdict_but_quoted_is_written_out(verdict: str) -> None:
    base = answered("?")
    claim = dataclasses.replace(base.claims[0], verdict=verdict)
    text = _Elements(rendering.answer(dataclasses.replace(base, claims=(claim,)))).text
    label = rendering.VERDICT_LABELS[claim.verdict]
    assert (label in text) == (verdict != "quoted")
    assert ("Every sentence is quoted" in text) == (verdict == "quoted")


def test_a_refusal_is_not_dressed_as_an_answer() -> None:
    answer = refused("What hardware?")
    fragment = rendering.answer(answer)
    assert "ibid-refusal" in fragment
    assert "ibid-answer" not in fragment
    assert html.escape(answer.text) in fragment
    assert "Closest papers here" in fragment


def test_notes_are_shown() -> None:
    noted = dataclasses.replace(answered("?"), notes=("fell back to quotes",))
    assert "fell back to quotes" in rendering.answer(noted)


def test_titles_that_lead_are_shown_and_text_is_cleaned_for_the_eye() -> None:
    quote = "It saves 77\\% of the steps."
    where = dataclasses.replace(citation(), paper=_paper_saying("A Paper"), quote=quote)
    said = f"{quote} [1]"
    text = f"A Paper: {said}\nA Paper: {said}"
    starts = [position for position in range(len(text)) if text.startswith(said, position)]
    claims = tuple(Claim(said, start, start + len(said), "quoted", 1.0, (where,)) for start in starts)
    answer = Answer("q", "q", "answered", text, claims, (where,), None, "r", "quotes")
    elements = _Elements(rendering.answer(answer))
    assert elements.text.count("A Paper:") == 2
    assert "77% of the steps" in elements.text
    assert "\\%" not in elements.text


def test_a_follow_up_shows_what_it_was_read_as() -> None:
    for value in (answered("How many?"), refused("How many?")):
        assert "ibid-read-as" not in rendering.answer(value)
        read = rendering.answer(dataclasses.replace(value, query="How many in A < B?", notes=("a note",)))
        assert "Read as: How many in A &lt; B?" in read
        assert "a note" in read
