"""Questions made from a library's own papers, some that it answers and some that it doesn't.

Answerable ones ask for what a sentence states, in other and fewer words. Unanswerable ones are of the sorts that people
ask: about a paper that isn't here (`held_out`), a detail that the abstract leaves out (`detail`), a number where the abstract
gives none at all (`uncounted`), a share where it gives only other numbers (`tempting`), a thing of another paper asked of this
one (`swapped`), or a question of another field (`elsewhere`). Where another paper of the library holds nearly all of what
is asked, it might answer, and the question is dropped.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from assistant import details
from assistant.calibration import phrasing
from assistant.errors import InputError
from assistant.evidence import asked_terms, share, telling
from assistant.papers import Paper
from assistant.sentences import split
from assistant.terms import terms

if TYPE_CHECKING:
    from assistant.library import Library

Way = Literal[
    "count", "relation", "terse", "about", "held_out", "detail", "uncounted", "tempting", "swapped", "elsewhere"
]
WAYS: tuple[Way, ...] = get_args(Way)
FEWEST_PAPERS = 20
_SHARES: dict[Way, float] = {
    "count": 0.13, "relation": 0.15, "terse": 0.14, "about": 0.08,
    "held_out": 0.13, "detail": 0.10, "uncounted": 0.05, "tempting": 0.08, "swapped": 0.07, "elsewhere": 0.07,
}  # fmt: skip
_ANSWERED: frozenset[Way] = frozenset({"count", "relation", "terse", "about"})
_RIVALS = 10  # papers looked at that might answer in another's stead
_HELD = 0.8  # share of what is asked, by rarity, from where on such a paper may answer
_TOO_NEAR = 0.45  # cosine of a foreign question and a passage from where on the corpus may be of that field
_ASK_DETAIL = {
    "its authors": "Who wrote the paper on {t}?",
    "who funded it": "Who funded the work on {t}?",
    "when it was published": "When was the {t} paper published?",
    "where it was published": "In which journal was the study of {t} published?",
    "the learning rate": "what learning rate was used for {t}",
    "the batch size": "Which batch size did they use for {t}?",
    "the random seeds": "How many random seeds were run for {t}?",
    "its hyper-parameters": "Which hyper-parameters were chosen for {t}?",
    "a p-value": "What p-value is given for {t}?",
    "a confidence interval": "What is the confidence interval for {t}?",
    "the statistical test used": "Which statistical test was used in the study of {t}?",
    "who annotated the data": "How many annotators worked on {t}?",
    "its authors' affiliations": "At which university was the work on {t} done?",
    "how many layers it has": "How many layers are there in the model for {t}?",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A question with the papers that must be left out of the library while it is asked."""

    question: str
    answerable: bool
    way: Way
    paper_id: str  # that it is about; "" for none
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    paper: Paper
    sentences: tuple[str, ...]
    text: str
    held: frozenset[str]


def make(library: Library, count: int, seed: int = 0) -> tuple[Made, ...]:
    """About `count` questions, the same for the same papers and seed. Raises InputError for too few papers.

    Looks at no more than a sample of the papers, so memory doesn't grow with the library.
    """
    if (papers := library.count()) < FEWEST_PAPERS:
        raise InputError(
            f"{papers} papers are too few to calibrate on; at least {FEWEST_PAPERS} are needed: ibid add FILE"
        )
    r = random.Random(seed)
    sources = _sample(library, count, seed)
    rarity = telling(library.term_statistics())
    found: list[Made] = []
    for way, part in _SHARES.items():
        wanted = round(part * count)
        candidates = _elsewhere(library, r) if way == "elsewhere" else _of(way, sources, rarity, r)
        fresh = (made for made in candidates if all(made.question != other.question for other in found))
        found += list(islice((made for made in fresh if made.answerable or not _answered(made, library)), wanted))
    r.shuffle(found)
    return tuple(found)


def _answered(made: Made, library: Library) -> bool:
    """Whether some paper that may be searched, other than the one asked of, holds nearly all of what is asked."""
    if not made.paper_id:
        return False
    asked, statistics = asked_terms(made.question), library.term_statistics()
    found = library.passages_by_id({key for key, _ in library.lexical(made.question, _RIVALS)})
    near = library.papers_by_id({passage.paper_id for passage in found.values()} | {made.paper_id})
    held = {key: frozenset(terms(f"{paper.title} {paper.abstract}")) for key, paper in near.items()}
    if made.way != "swapped":
        asked &= held.pop(made.paper_id)  # without the words that frame the question
    return any(share(words, asked, statistics) >= _HELD for words in held.values())


def _sample(library: Library, count: int, seed: int) -> list[_Source]:
    """At most `count` papers, those first by a digest of seed and id: the same whatever order they were added in."""

    def place(paper: Paper) -> str:
        return hashlib.sha256(f"{seed}:{paper.id}".encode()).hexdigest()

    chosen = heapq.nsmallest(count, (paper for paper in library.papers() if len(paper.abstract) > 200), key=place)
    sources = []
    for paper in chosen:
        sentences = tuple(paper.abstract[span.start : span.end] for span in split(paper.abstract))
        text = f"{paper.title} {paper.abstract}"
        sources.append(_Source(paper, sentences, text, frozenset(terms(text))))
    if len(sources) < FEWEST_PAPERS:
        raise InputError(f"{len(sources)} papers have abstracts to calibrate on; at least {FEWEST_PAPERS} are needed")
    return sources


def _of(way: Way, sources: Sequence[_Source], rarity: Callable[[str], float], r: random.Random) -> Iterator[Made]:
    """Questions made in this way: one a paper, and once more round."""
    for _ in range(2):
        for source in r.sample(sources, len(sources)):
            other = r.choice(sources)
            question = _WAYS[way](source, other, rarity, r) if source is not other else None
            if question:
                hidden = (source.paper.id,) if way == "held_out" else ()
                yield Made(_cased(question, r), way in _ANSWERED, way, source.paper.id, hidden)


def _cased(question: str, r: random.Random) -> str:
    """One question in six as people type: without capitals or question mark."""
    return question.rstrip("?").lower() if r.random() < 0.16 else question[:1].upper() + question[1:]


Maker = Callable[[_Source, _Source, Callable[[str], float], random.Random], str | None]


def _count(source: _Source, _: _Source, rarity: Callable[[str], float], r: random.Random) -> str | None:
    found = [noun for sentence in source.sentences for noun in phrasing.counted(sentence)]
    return _how_many(r.choice(found), source, rarity, r) if found else None


def _how_many(noun: str, source: _Source, rarity: Callable[[str], float], r: random.Random) -> str:
    frames = ("How many {n} were there in the study of {t}?", "How many {n} are used for {t}?", "number of {n} in {t}",
              "How many {n} does the work on {t} report?")  # fmt: skip
    return r.choice(frames).format(n=noun, t=phrasing.topic(source.paper, rarity, r))


def _relation(source: _Source, _: _Source, __: Callable[[str], float], r: random.Random) -> str | None:
    found = [said for sentence in source.sentences if (said := phrasing.relation(sentence))]
    return _about_relation(r.choice(found), r) if found else None


def _about_relation(said: phrasing.Relation, r: random.Random) -> str:
    frames = ("What does {s} {v}?", "Does {s} {v} {o}?", "How does {s} affect {o}?", "what is known about {s} and {o}",
              "What effect does {s} have on {o}?")  # fmt: skip
    return r.choice(frames).format(s=said.subject, v=said.verb, o=said.object)


def _terse(source: _Source, _: _Source, rarity: Callable[[str], float], r: random.Random) -> str | None:
    sentence = r.choice(source.sentences)
    words = phrasing.telling_words(sentence, rarity, r.choice((4, 5, 6)))
    if len(words) < 4:
        return None
    said = phrasing.reworded(words, r)
    return r.choice(("{w}", "What is said about {w}?", "How do {w} go together?")).format(w=said)


def _about(source: _Source, _: _Source, rarity: Callable[[str], float], r: random.Random) -> str:
    frames = ("What did the study of {t} find?", "What is proposed for {t}?", "Which paper deals with {t}?",
              "Why is {t} hard?", "What is {t} about?")  # fmt: skip
    return r.choice(frames).format(t=phrasing.topic(source.paper, rarity, r))


def _held_out(source: _Source, other: _Source, rarity: Callable[[str], float], r: random.Random) -> str | None:
    return r.choice((_count, _relation, _relation, _terse, _about))(source, other, rarity, r)


def _detail(source: _Source, _: _Source, rarity: Callable[[str], float], r: random.Random) -> str | None:
    left_out = [d.name for d in details.DETAILS if d.name in _ASK_DETAIL and not details.stated(d, source.text)]
    if not left_out:
        return None
    return _ASK_DETAIL[r.choice(left_out)].format(t=phrasing.topic(source.paper, rarity, r))


def _uncounted(source: _Source, _: _Source, rarity: Callable[[str], float], r: random.Random) -> str | None:
    nouns = [noun for sentence in source.sentences for noun in phrasing.plurals(sentence)]
    return _how_many(r.choice(nouns), source, rarity, r) if nouns and not phrasing.numbers(source.text) else None


def _tempting(source: _Source, _: _Source, rarity: Callable[[str], float], r: random.Random) -> str | None:
    if not phrasing.numbers(source.text) or phrasing.shares(source.text):
        return None
    frames = ("What percentage of {n} is given for {t}?", "What share of {n} was affected in {t}?",
              "what proportion of the {n} did {t} reach")  # fmt: skip
    nouns = [noun for sentence in source.sentences for noun in phrasing.plurals(sentence)]
    return r.choice(frames).format(n=r.choice(nouns), t=phrasing.topic(source.paper, rarity, r)) if nouns else None


def _swapped(source: _Source, other: _Source, rarity: Callable[[str], float], r: random.Random) -> str | None:
    """A relation of this paper with one side from another paper, or something that another counts asked of this one."""
    own = [said for sentence in source.sentences if (said := phrasing.relation(sentence))]
    foreign = [said for sentence in other.sentences if (said := phrasing.relation(sentence))]
    if own and foreign and r.random() < 0.7:
        mine, theirs = r.choice(own), r.choice(foreign)
        taken = phrasing.Relation(mine.subject, mine.verb, theirs.object)
        absent = not set(terms(theirs.object)) <= source.held and not set(terms(mine.subject)) & other.held
        frames = ("Does {s} {v} {o}?", "What effect does {s} have on {o}?", "how strongly does {s} {v} {o}")
        return r.choice(frames).format(s=taken.subject, v=taken.verb, o=taken.object) if absent else None
    nouns = [noun for sentence in other.sentences for noun in phrasing.counted(sentence)]
    nouns = [noun for noun in nouns if terms(noun) and terms(noun)[-1] not in source.held]
    return _how_many(r.choice(nouns), source, rarity, r) if nouns else None


_WAYS: dict[Way, Maker] = {
    "count": _count, "relation": _relation, "terse": _terse, "about": _about, "held_out": _held_out,
    "detail": _detail, "uncounted": _uncounted, "tempting": _tempting, "swapped": _swapped,
}  # fmt: skip


def _elsewhere(library: Library, r: random.Random) -> Iterator[Made]:
    """Shipped questions of many fields, without those that some passage of the library is near."""
    lines = (files("assistant.calibration") / "fields.txt").read_text(encoding="utf-8").splitlines()
    for question in r.sample(lines, len(lines)):
        nearest = library.dense(np.asarray(library.embedder.embed_query(question), dtype=np.float32), 1)
        if not nearest or nearest[0][1] < _TOO_NEAR:
            yield Made(question, False, "elsewhere", "")
