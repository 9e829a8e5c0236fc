"""Drafts of cases, from abstracts alone by templates, and by a chat model where one is given.

  counts        "60 combinations of message snippets" → How many combinations of message snippets … ?
  names         "we propose MSOF, a multi-strategy framework" → What is the multi-strategy framework … called?
  near misses   a detail that abstracts seldom state and this one does not → must be refused, `not_stated`
  topics        a phrase that two to six papers share → Which papers … ?

Templates make plain questions; they are a start for a person who edits, not a substitute. Everything follows from papers
and seed.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from assistant.papers import Paper
from assistant.sentences import split
from evals.cases import Case
from evals.matching import fold, occurs, title_key
from evals.verifiers import terms

Say = Callable[[str], str]  # a chat model: prompt in, text out

_COUNT = re.compile(
    r"(?<![\w.,/$%()\[-])(\d{1,3}(?:,\d{3})+|\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\s+"
    r"((?:[a-z][a-z-]+\s){0,3}[a-z][a-z-]+s)\b(?!\s+of\s+the)"
)
_NAME = r"(?:[A-Z][\w+-]*[A-Z0-9][\w+-]*|[A-Z][a-z]+[A-Z][\w+-]*)"
_INTRODUCED = re.compile(
    rf"\b(?:propose|introduce|present|develop|call(?:ed)?|termed|named|dubbed)\s+(?:\w+\s+){{0,2}}?({_NAME})"
    rf"(?:\s*\([^)]*\))?,\s+(an?\s+[^.,;()]{{15,90}})"
)
_EXPANDED = re.compile(rf"\b((?:[A-Za-z][a-z]+[\s-]){{2,6}})\(({_NAME})\)")
_NOT_COUNTED = frozenset(
    {
        "times",
        "points",
        "days",
        "years",
        "months",
        "weeks",
        "hours",
        "minutes",
        "seconds",
        "this",
        "its",
        "as",
        "is",
        "but",
    }
    | {"learns", "refines", "overcomes", "slides", "thousand", "million", "further"}
)
_DETAILS: tuple[tuple[str, str], ...] = (
    ("learning rate", "What learning rate was used in {}?"),
    ("GPUs", "How many GPUs were used in {}?"),
    ("batch size", "What batch size was used in {}?"),
    ("funding", "Who funded the work in {}?"),
    ("carbon footprint", "What was the carbon footprint of the training in {}?"),
    ("annotators", "How much were the annotators paid in {}?"),
    ("random seeds", "How many random seeds were run in {}?"),
    ("licence", "Under which licence is the code of {} released?"),
    ("university", "Which university did the authors of {} work at?"),
    ("inference latency", "What inference latency in milliseconds was measured in {}?"),
)
_FEW, _MANY = 2, 6  # papers of a topic question: one is a fact, more than six nobody checks
_SHORT_TITLE = 9  # words of a title that still read well inside a question


def draft(papers: Iterable[Paper], *, seed: int = 0, per_paper: int = 3, say: Say | None = None) -> tuple[Case, ...]:
    """Cases for every paper, at most `per_paper` facts and one near miss each, then topics over all of them."""
    every = tuple(papers)
    cases: list[Case] = []
    for paper in every:
        chance = random.Random(f"{seed}:{paper.id}")
        facts = [*(_by_model(paper, say) if say else ()), *_names(paper), *_counts(paper)]
        cases += facts[:per_paper]
        if near := _near_miss(paper, chance):
            cases.append(near)
    return (*cases, *_topics(every))


def handle(paper: Paper) -> str:
    """How a question refers to a paper: its title, or what stands before the colon when that is a name."""
    name, colon, _ = paper.title.partition(":")
    if colon and len(name.split()) <= _SHORT_TITLE:
        return f"the paper on {name.strip()}" if len(name.split()) > 2 else name.strip()
    return f"the paper “{paper.title}”"


def _case(paper: Paper, place: str, question: str, *facts: tuple[str, ...], note: str = "") -> Case:
    group = title_key(paper.title)[:24]
    return Case(f"{group}-{place}", group, "dev", "fact", (question,), (paper.title,), facts, note=note)


def _sentences(paper: Paper) -> Iterator[str]:
    for span in split(paper.abstract):
        yield paper.abstract[span.start : span.end]


def _counts(paper: Paper) -> Iterator[Case]:
    for place, sentence in enumerate(_sentences(paper)):
        for found in _COUNT.finditer(sentence):
            number, things = found.groups()
            if _NOT_COUNTED & set(things.split()):
                continue
            question = f"How many {things} are there in {handle(paper)}?"
            yield _case(paper, f"count-{place}", question, (f"{number} {things}",), note=sentence)
            break


def _names(paper: Paper) -> Iterator[Case]:
    for place, sentence in enumerate(_sentences(paper)):
        if found := _INTRODUCED.search(sentence):
            name, described = found.groups()
            yield _case(paper, f"name-{place}", f"What is the name of {described.strip()}?", (name,), note=sentence)
        elif found := _EXPANDED.search(sentence):
            long, name = found.group(1).strip(), found.group(2)
            if [word[0].casefold() for word in re.split(r"[\s-]", long)][:1] == [name[0].casefold()]:
                question = f"What does {name} stand for in {handle(paper)}?"
                yield _case(paper, f"long-{place}", question, (long,), note=sentence)


def _near_miss(paper: Paper, chance: random.Random) -> Case | None:
    absent = [(detail, text) for detail, text in _DETAILS if not terms(detail) & terms(paper.abstract)]
    if not absent:
        return None
    detail, text = chance.choice(absent)
    group = title_key(paper.title)[:24]
    return Case(
        f"{group}-miss",
        group,
        "dev",
        "unanswerable",
        (text.format(handle(paper)),),
        (paper.title,),
        answerable=False,
        reason="not_stated",
        note=f"the abstract has no word of {detail!r}",
    )


def _topics(papers: Sequence[Paper]) -> Iterator[Case]:
    """Phrases of two or three words that stand in the titles of some papers and nowhere in any other."""
    titled: dict[str, set[int]] = defaultdict(set)
    for place, paper in enumerate(papers):
        for phrase in _phrases(paper.title):
            titled[phrase].add(place)
    used: set[frozenset[int]] = set()
    for phrase in sorted(titled, key=lambda text: (-len(text.split()), text)):
        places = frozenset(
            place for place, paper in enumerate(papers) if occurs(phrase, f"{paper.title}\n{paper.abstract}")
        )
        if not _FEW <= len(places) <= _MANY or places in used:
            continue
        used.add(places)
        titles = tuple(papers[place].title for place in sorted(places))
        name = title_key(phrase)[:24]
        yield Case(
            f"topic-{name}",
            f"topic-{name}",
            "dev",
            "list",
            (f"Which papers deal with {phrase}?",),
            titles,
            note="shared phrase",
        )


def _phrases(title: str) -> Iterator[str]:
    words = re.findall(r"[a-z0-9-]+", fold(title))
    for size in (3, 2):
        for start in range(len(words) - size + 1):
            phrase = words[start : start + size]
            if all(terms(word) for word in phrase):
                yield " ".join(phrase)


_PROMPT = (
    "Read this abstract and write up to two questions that it answers and a reader of many papers might ask. Do not "
    'name the answer in the question. Reply with JSON only: [{{"question": "...", "answer": "words copied exactly from '
    'the abstract, at most six"}}]\n\nTitle: {title}\n\nAbstract: {abstract}'
)


def _by_model(paper: Paper, say: Say) -> Iterator[Case]:
    """What a model drafts and the abstract confirms: an answer that is not in it word for word is dropped."""
    reply = say(_PROMPT.format(title=paper.title, abstract=paper.abstract))
    start, end = reply.find("["), reply.rfind("]")
    try:
        items = json.loads(reply[start : end + 1])
    except ValueError:
        return
    for place, item in enumerate(items if isinstance(items, list) else []):
        if not isinstance(item, dict):
            continue
        question, answer = str(item.get("question", "")).strip(), str(item.get("answer", "")).strip()
        if question and answer and occurs(answer, paper.abstract):
            yield _case(paper, f"model-{place}", question, (answer,), note="drafted by a model")
