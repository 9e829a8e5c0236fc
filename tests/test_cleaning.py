r"""Cleaning: what it repairs, what it leaves alone, and that its offsets always point back."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.chunking import passages
from assistant.cleaning import Cleaned, clean, embedding_text, normalise
from assistant.papers import Paper
from ingest.records import Record
from ingest.sources import read

_CORPUS = Path(__file__).parent.parent / "ingest" / "corpus" / "huggingface-papers.txt"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (r"a Schr\"odinger-Poisson system", "a Schrödinger-Poisson system"),
        (r"{\"o} \"{o} {\'e} \c{c} \v{S} na\"{\i}ve \ss{} \O", "ö ö é ç Š naïve ß Ø"),
        (r"77\% of it, R\&D", "77% of it, R&D"),
        ("the $pass@k$ score", "the pass@k score"),
        (r"\textit{only \emph{this}} and \textbf{that}", "only this and that"),
        (r"{\em upper confidence bound }(UCB)", "upper confidence bound (UCB)"),
        (r"$\alpha \times \beta \leq 10^{-3}$", "α × β ≤ 10^(-3)"),
        (r"$\mathbb{R}^{n}$ and \frac{a}{b}", "R^n and a/b"),
        (r"as shown~\cite{foo2020,bar} before", "as shown before"),
        ("UEtext{-UCB++} explores", "UE-UCB++ explores"),
        ("we propose **CAPO** (**C**urriculum)", "we propose CAPO (Curriculum)"),
        ("how ``creative'' it is, ``Reward\" (FLR)", 'how "creative" it is, "Reward" (FLR)'),
        ("from the images.%, showing efficacy. Despite this", "from the images. Despite this"),
        ("for future researchhttps://github.com/A/B.", "for future research https://github.com/A/B."),
        ("e\ufb03cient \ufb01ne-tuning, zero\u200bwidth", "efficient fine-tuning, zerowidth"),
        ("SchrÃ¶dinger itâ€™s", "Schrödinger it’s"),
        ("p &lt; 0.05 &amp; <i>in vivo</i> H<sub>2</sub>O", "p < 0.05 & in vivo H2O"),
        ("<jats:p>First.</jats:p><jats:p>Second.</jats:p>", "First. Second."),
        ("two\n  lines\tand\u00a0blanks ", "two lines and blanks"),
    ],
)
def test_dirt_is_cleaned(stored: str, shown: str) -> None:
    assert clean(stored).text == shown


@pytest.mark.parametrize(
    "text",
    [
        "perform _both_ tasks",
        "costs $5 and $10 per run",
        "from 16.8% to 12.7% error, a 20.% gain",
        "f : X -> Y and g(f(X)) ~= X",
        "a < b and c > d",
        r"an unknown \foo{bar} stays",
        "see https://github.com/a_b/c",
        "2 * 3 * 4",
        "ü naïve Ångström 中文 😀",
    ],
)
def test_what_may_be_notation_stays(text: str) -> None:
    assert clean(text).text == text


def test_the_bundled_corpus_comes_out_clean() -> None:
    for item in read(_CORPUS):
        assert isinstance(item, Record)
        for text in (item.title, item.abstract):
            cleaned = clean(text).text
            assert not any(
                mark in cleaned for mark in ("\\", "``", "**", "{\\em", "$", "text{", "searchhttps", ".%,")
            )


def test_a_span_of_the_shown_text_points_at_its_stored_characters() -> None:
    stored = r"We consider a Schr\"odinger system; code for researchhttps://x.org and 77\% more."
    cleaned = clean(stored)
    for word in ("Schrödinger", "https://x.org", "77%"):
        at = cleaned.text.index(word)
        span = cleaned.original_span(at, at + len(word))
        assert stored[span.start : span.end] == {"Schrödinger": r"Schr\"odinger", "77%": r"77\%"}.get(word, word)
        back = cleaned.cleaned_span(span.start, span.end)
        assert cleaned.text[back.start : back.end] == word


def test_a_dropped_remain_has_an_empty_cleaned_span() -> None:
    stored = "the images.%, showing efficacy. Despite this"
    cleaned = clean(stored)
    gone = cleaned.cleaned_span(stored.index("showing"), stored.index("showing") + 7)
    assert gone.start == gone.end


def test_embedding_text_has_the_sentences_of_the_passage() -> None:
    paper = Paper("p", r"On \emph{k}-means", r"We gain 77\% here. It is \textit{fast}.%, they say. Really.")
    (passage,) = passages(paper)
    prepared = embedding_text(paper.title, passage)
    assert prepared.title == "On k-means"
    assert prepared.text == "We gain 77% here. It is fast. Really."
    pieces = [prepared.text[span.start : span.end] for span in prepared.sentences]
    assert len(pieces) == len(passage.sentences)
    assert pieces[0] == "We gain 77% here."
    assert pieces[-1] == "Really."


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("e\u0301", "é"),
        (" a\x00b\r\nc\x07 ", "ab\nc"),
        ("x\ud800y\ufeff", "xy"),
        ("tab\tstays", "tab\tstays"),
        (r"Schr\"odinger 77\%", r"Schr\"odinger 77\%"),
    ],
)
def test_normalise_stores_what_was_given(given_text: str, stored: str) -> None:
    assert normalise(given_text) == stored


_DIRTY = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "\\\"o", "{", "}", "\\textit{", "$", "``", "''", "%", ".%, ", "https://x.y", "word", " ", "\n", "**", "&amp;",
                "&lt;", "<i>", "</i>", "ﬁ", "Ã¶", "â€™", "\\alpha", "^{", "_{", "\\frac{a}{b}", "\\cite{x}", "\\", "é", "text{", "a",
                "\\%", ". ", "{\\em ", "\u200b", "\\c", "\\'", "=", "[", "]", "😀",
            ]
        ),
        st.characters(),
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(_DIRTY)
@settings(max_examples=300, deadline=None)
def test_offsets_are_monotone_and_within_bounds(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.text) == len(cleaned.starts) == len(cleaned.ends)
    assert all(0 <= start <= end <= len(text) for start, end in zip(cleaned.starts, cleaned.ends, strict=True))
    assert all(before <= after for before, after in pairwise(cleaned.starts))
    assert all(before <= after for before, after in pairwise(cleaned.ends))


@given(_DIRTY, st.data())
@settings(max_examples=300, deadline=None)
def test_spans_map_both_ways(text: str, data: st.DataObject) -> None:
    cleaned = clean(text)
    start = data.draw(st.integers(0, len(cleaned.text)))
    end = data.draw(st.integers(start, len(cleaned.text)))
    span = cleaned.original_span(start, end)
    assert 0 <= span.start <= span.end <= len(text)
    if span.start < span.end:  # an inserted blank stands for nothing
        back = cleaned.cleaned_span(span.start, span.end)
        kept = [at for at in range(start, end) if cleaned.starts[at] < cleaned.ends[at]]
        assert back.start <= kept[0]
        assert kept[-1] < back.end
    stored = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    there = cleaned.cleaned_span(*stored)
    assert 0 <= there.start <= there.end <= len(cleaned.text)


@given(_DIRTY)
@settings(max_examples=300, deadline=None)
def test_characters_that_stand_alone_are_the_stored_ones(text: str) -> None:
    cleaned = clean(text)
    plain = [at for at in range(len(cleaned.text)) if cleaned.ends[at] - cleaned.starts[at] == 1]
    for at in plain:
        stored = text[cleaned.starts[at]]
        assert cleaned.text[at] == stored or not stored.isalnum() or not stored.isascii()


@given(_DIRTY)
@settings(max_examples=300, deadline=None)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text).text
    assert clean(once).text == once


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_normalise_is_idempotent_and_storable(text: str) -> None:
    stored = normalise(text)
    assert normalise(stored) == stored
    assert "\x00" not in stored
    assert stored.encode("utf-8").decode("utf-8") == stored
    assert unicodedata.is_normalized("NFC", stored)


def test_a_clean_text_costs_no_map() -> None:
    cleaned = clean("A plain abstract. It has two sentences.")
    assert isinstance(cleaned, Cleaned)
    assert isinstance(cleaned.starts, range)
