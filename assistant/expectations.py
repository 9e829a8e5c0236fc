"""The sort of thing that a question wants to be told, and whether a sentence holds such a thing.

"How many mice …?" wants a number of mice, "which benchmarks …?" wants names. A sentence without the sort of thing that is
asked for can't be the answer, however much it speaks of the subject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant.terms import terms

Sort = Literal["number", "count", "share", "duration", "age", "dose", "name", "person", "link", "time"]

_NUMERAL = (
    r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|"
    r"billions?|dozens?|both|single|several)"
)
LINK_ASKED = re.compile(
    r"\b(?:github|repo(?:sitory)?|source code|url|link|website|(?:is|are|where).{0,30}\bcodes?\b|codes? (?:available|"
    r"released?|public)|open.sourced?)\b",
    re.IGNORECASE,
)
LINK_SHOWN = re.compile(
    r"https?://|\bwww\.|\b(?:codes?|models?|data|datasets?|weights|implementations?)\b.{0,60}"
    r"\b(?:available|released?|public|open.sourced?)",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\b(?:how many|(?:the )?(?:total )?number of)\s+((?:[\w-]+\s*){1,6})", re.IGNORECASE)
_COUNT_ENDS = re.compile(
    r"^(?:(?:of|the|these|those|different|distinct|total|other|new|more|pairs?)\s+)*(.*?)"
    r"(?:\b(?:does|do|did|is|are|was|were|has|have|had|can|could|in|on|with|for|from|to|by|at|of|that|which|who|under|"
    r"among|per|they|it|we|used|using|there|study|compared|needed|required)\b.*)?$",
    re.IGNORECASE,
)
_ASKED: tuple[tuple[Sort, re.Pattern[str]], ...] = (
    ("link", LINK_ASKED),
    (
        "share",
        re.compile(
            r"\b(?:what|which|how (?:large|high|big) (?:a|is the|was the)|the)\s+(?:\w+\s+){0,2}?(?:percentage|percent|fraction|"
            r"proportion|share|prevalence|incidence)\b|\bhow (?:common|frequent|prevalent)\b|\bwhat %",
            re.IGNORECASE,
        ),
    ),
    ("age", re.compile(r"\bhow old\b|\bwhat (?:was|is|were) the (?:\w+ )?ages?\b|\bat what age\b", re.IGNORECASE)),
    (
        "dose",
        re.compile(
            r"\b(?:what|which|how (?:high|large)) (?:\w+ )?(?:dos(?:e|es|age)|concentration)\b", re.IGNORECASE
        ),
    ),
    (
        "duration",
        re.compile(
            r"\bhow long\b(?! (?:is|are) the (?:answers?|texts?|stor))|\b(?:duration|lifespan|half-life) of\b",
            re.IGNORECASE,
        ),
    ),
    (
        "time",
        re.compile(
            r"^\W*(?:\w+\W+){0,3}?(?:when (?:was|were|did|is|are)|(?:in )?(?:what|which) year)\b", re.IGNORECASE
        ),
    ),
    (
        "number",
        re.compile(
            r"\b(?:how (?:much|large|big|often|far|high|low|fast|small|sensitive|specific|accurate)|by how|what (?:\w+ ){0,3}?"
            r"(?:number|amount|rate|accuracy|score|size|margin|reduction|improvement|gain|weight|ratio|resolution|threshold|"
            r"value|level)\b|(?:scores?|accurac(?:y|ies)|f1|bleu|auc|sensitivity|specificity|odds ratio|hazard ratio|"
            r"sample size)\b(?!\w))",
            re.IGNORECASE,
        ),
    ),
    ("person", re.compile(r"^\W*(?:and |so |but )?(?:who|whose|by whom)\b", re.IGNORECASE)),
    (
        "name",
        re.compile(
            r"\b(?:which|what|name the|list the)\s+(?:(?:\w+|\d+)\s+){0,2}?(?:benchmarks?|datasets?|corpora|languages?|"
            r"models?|backbones?|baselines?|optimi[sz]ers?|metrics?|tests?|drugs?|genes?|proteins?|cell lines?|species|"
            r"countr(?:y|ies)|cit(?:y|ies)|hospitals?|journals?|compan(?:y|ies)|algorithms?)\b",
            re.IGNORECASE,
        ),
    ),
)
_SHOWN: dict[Sort, re.Pattern[str]] = {
    "link": LINK_SHOWN,
    "share": re.compile(
        r"\d\s*\\?%|\bpercent\b|\b\d+\s*(?:/|out of|of the|of)\s*\d+|\b(?:half|third|quarter|majority|most|all|none|two-thirds|"
        r"one in)\b|\b0?\.\d+",
        re.IGNORECASE,
    ),
    "age": re.compile(r"\b(?:aged?|years?|months?|year-olds?|yr|olds?)\b", re.IGNORECASE),
    "dose": re.compile(r"\d\s*(?:m|µ|μ|u|n|k)?(?:g|l|mol|M|IU|U)\b|\b(?:mg|ml|µg|μg|ng|nM|µM|μM|mM|units?)\b"),
    "duration": re.compile(
        rf"\b{_NUMERAL}(?:[- ]|\s+\w+\s+)?(?:seconds?|minutes?|min|hours?|hr?s?|days?|weeks?|months?|years?|yr|epochs?|decades?)\b|"
        r"\b(?:long-term|overnight|lifelong)\b",
        re.IGNORECASE,
    ),
    "time": re.compile(r"\b(?:19|20)\d\d\b|\b(?:january|february|march|april|june|july|august|september|october|november|december)\b|\b(?:after|before|during|when|until|once|as)\b", re.IGNORECASE),
    "number": re.compile(rf"\d|\b(?:{_NUMERAL}|half|third|quarter|twice|double[sd]?|triple[sd]?|[a-z]+fold)\b", re.IGNORECASE),
    "person": re.compile(
        r"\b(?:[A-Z][a-z]+ et al|[A-Z]\. ?[A-Z][a-z]+|researchers?|teams?|annotators?|experts?|physicians?|nurses?|workers?|"
        r"evaluators?|judges?|participants?|patients?|women|men|children|users?|students?|people|volunteers?)\b"
    ),
    "name": re.compile(
        r"(?<=[\w,;)(] )[A-Z][\w-]*|(?<=\()[A-Z][\w-]*|\b[\w-]*[a-z][A-Z][\w-]*|\b[A-Za-z]+-?\d[\w-]*|\b[A-Z][\w-]*[A-Z0-9][\w-]*"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expectation:
    """A sort of thing; of a count, also the stems of what is counted; of names, those that the question gives."""

    sort: Sort
    counted: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()


def read(question: str) -> Expectation | None:
    """What the question expects to be told, None when anything may do."""
    if match := _COUNT.search(question):
        phrase = _COUNT_ENDS.match(match.group(1).strip())
        nouns = terms(phrase.group(1) if phrase else match.group(1))
        return Expectation("count", frozenset(nouns[-1:])) if nouns else Expectation("number")
    sort = next((sort for sort, asked in _ASKED if asked.search(question)), None)
    given = frozenset(word.casefold() for word in re.findall(r"[\w-]+", question)) if sort == "name" else frozenset()
    return Expectation(sort, given=given) if sort else None


def meets(expected: Expectation, sentence: str) -> bool:
    """Whether the sentence holds the sort of thing that is expected.

    For a count, that is a number with the noun among the next few words, or the noun with `(n = 12)` behind it; for
    names, one that the question does not give itself.
    """
    if expected.sort == "name":
        found = (match.group().casefold() for match in _SHOWN["name"].finditer(sentence))
        return any(not expected.given & {token, *token.split("-")} for token in found)
    if expected.sort != "count":
        return _SHOWN[expected.sort].search(sentence) is not None
    for match in _NUMERALS.finditer(sentence):
        following = re.split(r"[,;:.()]", sentence[match.end() :], maxsplit=1)[0]
        if expected.counted & set(terms(" ".join(following.split()[:_COUNTED_WITHIN]))):
            return True
    sized = (sentence[max(0, match.start() - 40) : match.start()] for match in _SAMPLE_SIZE.finditer(sentence))
    return any(expected.counted & set(terms(before)) for before in sized)


_COUNTED_WITHIN = 4  # words between a number and what it counts
_SAMPLE_SIZE = re.compile(r"\(?\b[nN]\s*=\s*\d")
_NUMERALS = re.compile(rf"(?<![\w.-]){_NUMERAL}(?![\w])", re.IGNORECASE)
