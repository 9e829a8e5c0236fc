"""Questions over real abstracts, made by patterns: details that a sentence states, and details that none states.

A pattern finds the sentences that state a kind of detail (a sample size, a dose, the aim). Where an abstract has one,
its other sentences are hard negatives; where it has none, all of them are. Relations ("X inhibits Y") give questions on
content, and the same with a foreign Y gives near misses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.training.pairs import Abstract, Pair
from assistant.training.relations import relation, relations


@dataclass(frozen=True, slots=True)
class Detail:
    """A kind of detail: a pattern of the sentences that state it, and questions for it with `{of}` for the paper."""

    name: str
    pattern: re.Pattern[str]
    questions: tuple[str, ...]


def _detail(name: str, pattern: str, *questions: str) -> Detail:
    return Detail(name, re.compile(pattern, re.IGNORECASE), questions)


_WHO = "patients|participants|women|men|subjects|children|adults|individuals|infants|people|volunteers|cases|controls"
_COUNTRIES = (
    "United States|USA|United Kingdom|England|Scotland|China|Japan|India|Germany|France|Italy|Sweden|Denmark|Finland|Norway|"
    "Canada|Australia|Brazil|Mexico|Spain|Netherlands|South Africa|Kenya|Uganda|Malawi|Thailand|Korea|Taiwan|Israel|Ghana"
)
DETAILS = (
    _detail(
        "participants",
        rf"\b\d[\d, ]*\s+(?:[\w-]+\s+){{0,3}}(?:{_WHO})\b|\(?n ?= ?\d+",
        "How many patients were included{of}?",
        "How many people took part{of}?",
        "What was the sample size{of}?",
        "How many subjects were enrolled{of}?",
        "How large was the group that was studied{of}?",
    ),
    _detail(
        "interval",
        r"95% ?CI|confidence interval|credible interval",
        "What confidence interval is reported{of}?",
        "What is the 95% CI{of}?",
        "How precise is the estimate{of}?",
    ),
    _detail(
        "p_value",
        r"\bp ?[<=>≤] ?0?[.·]\d",
        "What was the p-value{of}?",
        "How significant was the difference{of}?",
        "Was the result statistically significant{of}, and at what level?",
    ),
    _detail("odds", r"odds ratio|\b(?-i:OR)\b[ =]*\d", "What odds ratio was found{of}?", "What were the odds{of}?"),
    _detail("hazard", r"hazard ratio|\b(?-i:HR)\b", "What hazard ratio was found{of}?", "What is the HR{of}?"),
    _detail("relative_risk", r"relative risk|risk ratio|\b(?-i:RR)\b", "What relative risk was reported{of}?"),
    _detail(
        "mortality", r"mortality|deaths?\b|died|survival", "How many people died{of}?", "What was the mortality{of}?"
    ),
    _detail(
        "follow_up",
        r"follow(?:ed|-up| up)[^.]{0,50}\d+ ?(?:years|months|weeks|days)|\d+[- ](?:year|month|week)s?[^.]{0,25}follow",
        "How long was the follow-up{of}?",
        "For how many years were they followed{of}?",
        "What was the duration of follow-up{of}?",
    ),
    _detail(
        "age",
        r"(?:mean|median|average) age|\baged?\b[^.]{0,12}\d+|\d+ years (?:old|of age)|years or older",
        "How old were the participants{of}?",
        "What was the mean age{of}?",
        "What age group was studied{of}?",
    ),
    _detail(
        "period",
        r"(?:between|from|during|in) [^.]{0,18}(?:19|20)\d\d",
        "In which years were the data collected{of}?",
        "When was the study carried out{of}?",
        "What period does it cover{of}?",
    ),
    _detail(
        "dose",
        r"\d+(?:[.·]\d+)? ?(?:mg|μg|µg|mcg|IU|mmol|ng/ml|g/d)",
        "What dose was given{of}?",
        "How much of the drug did they get{of}?",
        "At which dosage was it used{of}?",
    ),
    _detail(
        "place",
        rf"\b(?:{_COUNTRIES})\b",
        "In which country was the study done{of}?",
        "Where was the study conducted{of}?",
        "Where do the participants come from{of}?",
    ),
    _detail(
        "design",
        r"randomi[sz]ed|double-blind|cohort|case-control|cross-sectional|meta-analysis|systematic review|prospective",
        "What kind of study is it{of}?",
        "What was the study design{of}?",
        "How was the study designed{of}?",
    ),
    _detail(
        "aim",
        r"\b(?:aims?|objectives?|purpose|goal)\b|we (?:sought|aimed|asked|set out|investigated|examined|studied|assessed)",
        "What was the aim of the study{of}?",
        "What did the authors want to find out{of}?",
        "What question does it investigate{of}?",
        "What is the paper about{of}?",
    ),
    _detail(
        "conclusion",
        r"conclu|(?:these|our|the) (?:results|findings|data|observations) (?:suggest|indicate|demonstrate|show|provide|reveal)",
        "What do the authors conclude{of}?",
        "What is the conclusion{of}?",
        "What do the results suggest{of}?",
        "What is the take-home message{of}?",
    ),
    _detail(
        "organism",
        r"\b(?:mice|mouse|rats?|zebrafish|drosophila|elegans|monkeys?|yeast|rabbits?|pigs?|macaques?)\b",
        "Which animal model was used{of}?",
        "In what organism was this shown{of}?",
    ),
    _detail(
        "databases",
        r"MEDLINE|PubMed|EMBASE|Cochrane|Web of Science",
        "Which databases were searched{of}?",
        "How did they find the literature{of}?",
    ),
    _detail(
        "method",
        r"using|by means of|we (?:used|performed|applied|measured|analy[sz]ed)|sequencing|immunoprecipitation|microscopy",
        "What methods were used{of}?",
        "How did they measure it{of}?",
        "Which technique was applied{of}?",
    ),
)
_NEVER = (
    ("fund|grant|sponsor", "Who funded the study{of}?"),
    ("author|investigator", "Who are the authors{of}?"),
    ("author|universit|institut", "Which university do the authors come from{of}?"),
    ("journal", "In which journal was it published{of}?"),
    ("published", "When was it published{of}?"),
    ("software|SPSS|SAS|package", "Which software was used for the analysis{of}?"),
    ("regist|NCT", "What is the trial registration number{of}?"),
    ("cost|price|\\$|econom", "How much did it cost{of}?"),
    ("ethic|consent", "Who gave ethics approval{of}?"),
    ("GPU|comput", "Which hardware was used{of}?"),
    ("conflict", "Do the authors declare a conflict of interest{of}?"),
    ("dropout|withdr|lost to", "How many people dropped out{of}?"),
    ("t-test|ANOVA|regression|Wilcoxon|chi", "Which statistical test was used{of}?"),
    ("limit|caution|bias", "What are the limitations{of}?"),
    ("antibod", "Which antibody was used, and from which supplier{of}?"),
    ("temperature|°C", "At what temperature were the samples kept{of}?"),
    ("code|github|available", "Where can the data and code be downloaded{of}?"),
    ("sensitivity|specificity", "What sensitivity and specificity were reached{of}?"),
    ("ethnic|race|black|white|caucasian", "What was the ethnic background of the participants{of}?"),
    ("future|further (?:stud|research)", "What further research do the authors call for{of}?"),
)


def subject(title: str) -> str:
    """A short way to name the paper: its title up to a colon, without a final full stop."""
    head = re.split(r"[:?]", title)[0].strip(" .")
    words = (head if len(head.split()) >= 2 else title.strip(" .")).split()
    short = " ".join(words[:12])
    return short if short[:2].isupper() else short[:1].lower() + short[1:]


def _of(abstract: Abstract, r: random.Random) -> str:
    """A phrase that ties a question to the paper; often none, as in a follow-up."""
    frame = r.choice(
        (
            "",
            "",
            " in the study on {0}",
            " in the work on {0}",
            " for {0}",
            ' in "{1}"',
            " of the {0} paper",
            " in the trial of {0}",
        )
    )
    return frame.format(subject(abstract.title), abstract.title.strip(" ."))


def _wrong(sentences: Sequence[str], pattern: re.Pattern[str], count: int, r: random.Random) -> list[str]:
    """Sentences that do not match, those with numbers first half of the time."""
    others = [sentence for sentence in sentences if not pattern.search(sentence)]
    r.shuffle(others)
    if r.random() < 0.5:
        others.sort(key=lambda sentence: not re.search(r"\d", sentence))
    return others[:count]


def asked(papers: Sequence[Abstract], seed: int) -> Iterator[Pair]:
    """Pairs over all the abstracts: about three details present, two absent, and up to two relations for each."""
    r = random.Random(seed)
    objects = [match["object"] for paper in papers[:400] for text in paper.sentences if (match := relation(text))]
    for paper in papers:
        if len(paper.sentences) < 3:
            continue
        yield from _details(paper, r)
        yield from _never(paper, r)
        yield from _acronym(paper, r)
        yield from relations(paper, objects, r)


def _details(paper: Abstract, r: random.Random) -> Iterator[Pair]:
    for detail in r.sample(DETAILS, 7):
        right = [sentence for sentence in paper.sentences if detail.pattern.search(sentence)]
        title = paper.title if r.random() < 0.85 else ""
        question = r.choice(detail.questions).format(of=_of(paper, r))
        if len(right) > 3:
            continue
        if right:
            yield Pair(question, title, r.choice(right), 1, detail.name)
            for sentence in _wrong(paper.sentences, detail.pattern, 1, r):
                yield Pair(question, title, sentence, 0, detail.name)
        elif r.random() < 0.12 and detail.name not in ("aim", "method", "conclusion"):
            for sentence in _wrong(paper.sentences, detail.pattern, 2, r):
                yield Pair(question, title, sentence, 0, "lacking " + detail.name)


def _never(paper: Abstract, r: random.Random) -> Iterator[Pair]:
    guard, frame = r.choice(_NEVER)
    pattern = re.compile(guard, re.IGNORECASE)
    if r.random() < 0.35 and not any(pattern.search(sentence) for sentence in paper.sentences):
        question = frame.format(of=_of(paper, r))
        for sentence in _wrong(paper.sentences, pattern, 2, r):
            yield Pair(question, paper.title, sentence, 0, "never")


_ACRONYM = re.compile(r"((?:[\w-]+ ){2,6})\(([A-Z][A-Za-z0-9-]{1,6})\)")
_ACRONYM_QUESTIONS = (
    "What does {0} stand for?",
    "What is {0} short for?",
    "What is the full form of {0}?",
    "What does {0} mean?",
)


def _acronym(paper: Abstract, r: random.Random) -> Iterator[Pair]:
    for index, sentence in enumerate(paper.sentences):
        found = _ACRONYM.search(sentence)
        if found is None or found[1][:1].lower() == "" or r.random() < 0.4:
            continue
        initials = "".join(word[0] for word in re.split(r"[ -]", found[1].strip()) if word).lower()
        if found[2][0].lower() not in initials:
            continue
        question = r.choice(_ACRONYM_QUESTIONS).format(found[2])
        yield Pair(question, paper.title, sentence, 1, "acronym")
        others = [text for at, text in enumerate(paper.sentences) if at != index and f"({found[2]})" not in text]
        others.sort(key=lambda text: found[2] not in text)
        for text in others[:1]:
            yield Pair(question, paper.title, text, 0, "acronym")
        return
