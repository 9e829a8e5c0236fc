"""What a question asks for, read off its wording: its kind, the sort of answer it expects, and whether it is one.

Everything here is grammar and general vocabulary of research papers; nothing knows a corpus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from assistant import expectations
from assistant.expectations import Expectation

Kind = Literal["fact", "list", "comparison", "summary", "yes_no"]
Role = Literal["contribution", "result", "problem", "data", "resource"]

_PAPERS = r"(?:papers?|works?|stud(?:y|ies)|articles?|publications?|abstracts?|authors|preprints?|documents?)"
_PLURAL_PAPERS = r"(?:papers|works(?!\s+(?:best|better|well|with|by|for|as|to|when|like|against|even|only|across)\b)|studies|articles|publications|abstracts|preprints|documents|surveys|reviews|trials)"
_PLURAL_KINDS = (
    r"(?:different |other |existing |various )?(?:methods|approaches|techniques|frameworks|algorithms|models|systems|"
    r"benchmarks|datasets|surveys|interventions|treatments|therapies|trials|drugs)"
)
_ANY_OF = (
    r"\b(?:which|what|list|name|find|show|give|any|every|each|all(?: the)?|are there(?: any)?|is there (?:any|a)|how many|"
    r"recommend|suggest|other|more)\b"
)

_LIST = re.compile(
    rf"\b(?:every|each) (?:paper|study|work|article)\b|{_ANY_OF}(?:\W+\w+){{0,4}}?\W+{_PLURAL_PAPERS}\b",
    re.IGNORECASE,
)
_LIST_OF_KINDS = re.compile(rf"{_ANY_OF}(?:\W+\w+){{0,4}}?\W+{_PLURAL_KINDS}\b", re.IGNORECASE)
_LIST_HEAD = re.compile(
    rf"^\W*(?:(?:i am|i'm) looking for |looking for |search(?: for)? |every |all )?(?:\w+ ){{0,2}}(?:{_PLURAL_PAPERS})\s+"
    r"(?:about|on|of|from|in|that|which|using|with|by|dealing|discussing|related|covering|concerning|where|reporting)\b|"
    r"^\W*what (?:is there|do (?:we|you) have|have (?:we|you) got) (?:here )?(?:on|about)\b",
    re.IGNORECASE,
)
_WHICH_WORK = re.compile(
    r"^\W*(?:which|what)\s+(?:of\s+(?:these|the|those)\s+)?(?:paper|study|article|work|one)\b|"
    r"^\W*(?:is|are) there (?:a|any) (?:paper|study|article|work)s?\b",
    re.IGNORECASE,
)
_WORK = re.compile(r"^\W*(?:which|what)\s+work\b", re.IGNORECASE)  # a mass noun: any number of papers
# Lists asked for without a question's form: "renal cell carcinoma papers", "work on ambulance staff", "anything about twins".
_LIST_ELLIPTIC = re.compile(
    rf"^\W*(?!(?:{_ANY_OF[2:-2]}|how|why|when|where|who|do|does|did|is|are|was|were|can|has|have|summar\w+|compare|explain|tell)\b)"
    rf"(?:[^\s?!.:;]+\s+){{1,8}}?(?:{_PLURAL_PAPERS[3:-1]}|experiments|case reports)"
    r"(?:\s+(?:here|please|in (?:this|the|my|our) (?:collection|library|corpus|list|set)))?\W*$|"
    r"^\W*(?:(?:i (?:want|need)|give me|show me|find|looking for|is there|any|the|all|other|more|previous|existing)\s+)*work\s+"
    r"(?:on|about|that|touching|dealing|looking|concerning|related|around|in|with|using)\b|"
    r"^\W*(?:(?:is|was) there\s+|(?:do|does|did|have|has) (?:we|you|i|it|anyone|the library)(?: got| have)?\s+)?anything\s+(?:\w+\s+){0,2}?(?:on|about|regarding|concerning)\b|"
    r"^\W*who\s+(?:else\s+)?(?:has\s+|have\s+)?(?:written\s+(?:about|on)|stud(?:ied|ies)|work(?:s|ed)\s+on|look(?:s|ed)\s+(?:at|into)|"
    r"deals?\s+with|dealt\s+with)\b|"
    r"^\W*what\s+has\s+been\s+(?:found|written|published|reported|done|said)\s+(?:here\s+)?(?:on|about)\b|"
    r"^\W*which\s+(?:of\s+(?:these|them|those)|ones)\s+(?:are|were|do|have|use|show|report|propose|study|deal|describe|evaluate|"
    r"present|find|work|concern|look|cover|mention|rely|involve|focus|address|compare)\b|"
    r"^\W*which\s+(?:show|use|report|propose|study|deal|are about|describe|evaluate|present|find)\b",
    re.IGNORECASE,
)
# Counts of what a review or a trial took in, told by its abstract; "how many papers" counts the papers here.
_COUNT_INSIDE = re.compile(
    r"\bhow many (?:[\w-]+ ){0,3}?(?:studies|trials|articles|publications|documents|surveys|reviews|abstracts|works)\b"
    r"(?!.*\b(?:here|in (?:this|the|my|our) (?:collection|library|corpus|list))\b)",
    re.IGNORECASE,
)
_PAPERS_HEAD = re.compile(
    rf"^\W*(?:which|what|list|name|find|show|give)\s+(?:me\s+)?(?:all\s+|the\s+|of\s+the\s+|other\s+)*{_PLURAL_PAPERS}\b",
    re.IGNORECASE,
)

_COMPARISON = re.compile(
    r"\b(?:compar(?:e|es|ing|ison)\b(?!\s+(?:favou?rably|only))|versus|vs\.?|differ(?:s|ence|ences)?\b|contrast(?:s|ed)?\b"
    r"(?!ive)|distinguish(?:es)?|in common|similarit(?:y|ies)|what sets .+ apart|how (?:is|are) .+ different)",
    re.IGNORECASE,
)
_SUMMARY = re.compile(
    r"\b(?:summar(?:y|i[sz]e|i[sz]ing)|tl;?dr|overview|gist|in a nutshell|key (?:takeaways?|points?|ideas?)|"
    r"tell me (?:more )?about|main (?:takeaways?|points?)|walk me through|(?:main|key|central|principal|overall) (?:findings|results|"
    r"conclusions|contributions)|"
    r"(?:what(?:'s| is| are| was)|whats)\b.{1,160}\babout\s*\??\s*$|explain the (?:paper|study|work|article))",
    re.IGNORECASE,
)
_YES_NO = re.compile(
    r"^\W*(?:so\s+|and\s+|but\s+)?(?:is|are|was|were|do|does|did|can|could|has|have|had|should|will|would|may|might)"
    r"(?:n't|nt)?\s+",
    re.IGNORECASE,
)

_ROLE_ASKED: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("resource", expectations.LINK_ASKED),
    (
        "data",
        re.compile(
            r"\b(?:datasets?|benchmarks?|corpus|corpora|evaluated? on|tested on|trained on|experiments? on|tasks?|"
            r"participants|patients|cohort|samples?)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "problem",
        re.compile(
            r"\b(?:problems?|challenges?|limitations?|issues?|motivat\w+|drawbacks?|gaps?|obstacles?|why|weakness\w*|"
            r"shortcomings?)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "result",
        re.compile(
            r"\b(?:results?|findings?|found|finds?|outcomes?|conclusions?|conclud\w+|improv\w+|gains?|scores?|"
            r"accurac\w+|performance|performs?|achiev\w+|outperform\w*|surpass\w*|reach\w*|beat|effect\w*|better|"
            r"show(?:s|ed)?|evidence|reduc\w+|increas\w+|decreas\w+)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "contribution",
        re.compile(
            r"\b(?:propos\w+|introduc\w+|present\w*|contribut\w+|methods?|approach(?:es)?|ideas?|works?\b\s*\??$|"
            r"how (?:does|do|is|are)|what (?:is|are)|defin\w+|mean(?:s|t)?|technique|framework|algorithm|goals?|aims?)\b",
            re.IGNORECASE,
        ),
    ),
)
_ROLE_SHOWN: dict[Role, re.Pattern[str]] = {
    "contribution": re.compile(
        r"\b(?:we|this (?:paper|work|study|article)|our (?:work|paper|study|method|approach)|the (?:aim|goal|purpose|"
        r"objective))\b.{0,60}\b(?:propos\w+|introduc\w+|present\w*|develop\w*|describ\w+|investigat\w+|stud(?:y|ied)|"
        r"examin\w+|explor\w+|address\w*|consider\w*|construct\w*|design\w*|formali[sz]e\w*|evaluat\w+|is to|was to|"
        r"aims?|compar\w+|test(?:ed)?|assess\w*)\b|\b(?:is|are) (?:proposed|introduced|presented)\b|^(?:aim|objective)s?\b",
        re.IGNORECASE,
    ),
    "result": re.compile(
        r"\b(?:results?|experiments?|experimental|empirical(?:ly)?|findings?|we (?:find|found|show|observe|demonstrate|"
        r"prove|conclude|identified)|outperform\w*|surpass\w*|achiev\w+|improv\w+|state-of-the-art|demonstrat\w+|"
        r"significant(?:ly)?|increas\w+|decreas\w+|reduc\w+|associated|conclusions?)\b|\d\s*\\?%",
        re.IGNORECASE,
    ),
    "problem": re.compile(
        r"\b(?:however|challeng\w+|problem\w*|limit\w*|difficult\w*|struggl\w+|suffer\w*|lack\w*|unclear|remain\w*|"
        r"despite|fail\w*|unknown|hard|poorly|costly|sparse|risk)\b",
        re.IGNORECASE,
    ),
    "data": re.compile(
        r"\b(?:datasets?|benchmarks?|corpus|tasks?|evaluat\w+|experiments?|trained on|collected|samples?|participants?|"
        r"patients|cohort|models?)\b",
        re.IGNORECASE,
    ),
    "resource": expectations.LINK_SHOWN,
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read. `role` is the part an asked-for sentence plays in an abstract, None when any may do."""

    text: str
    kind: Kind
    role: Role | None
    expects: Expectation | None
    sides: tuple[str, ...] = ()  # the two phrases of a comparison, as worded
    pair: tuple[str, ...] = ()  # two phrases that may be two papers ("do A and B agree …"); only papers so named tell
    many: bool = False  # asks for every paper that fits, not for one
    two: bool = False  # speaks of "the two" papers, surveys, trials, … of some sort
    two_of: str = ""  # of which sort, as worded
    kinds: bool = False  # asks for several methods, datasets, …: of all papers, unless one is named


def read(text: str) -> Question:
    """Reads a stand-alone question; never fails."""
    stripped = " ".join(text.split())
    sides = _sides(stripped)
    kind = _kind(stripped, sides)
    return Question(
        text=stripped,
        kind=kind,
        role=next((role for role, asked in _ROLE_ASKED if asked.search(stripped)), None),
        expects=_expects(stripped, kind),
        sides=sides if kind == "comparison" else (),
        pair=_pair(stripped) if kind in ("fact", "yes_no") else (),
        many=kind == "list" and (_WORK.search(stripped) is not None or not _WHICH_WORK.search(stripped)),
        two=_TWO.search(stripped) is not None,
        two_of=_two_of(stripped),
        kinds=kind == "fact" and _LIST_OF_KINDS.search(stripped) is not None,
    )


def _expects(text: str, kind: Kind) -> Expectation | None:
    """Of papers asked for by a list, who or what is named is not told by a sentence but by the list itself."""
    expected = expectations.read(text)
    return None if kind == "list" and expected and expected.sort in ("person", "name", "count") else expected


def plays(role: Role, sentence: str) -> bool:
    """Whether the sentence's wording shows that it plays `role` in its abstract."""
    return _ROLE_SHOWN[role].search(sentence) is not None


def _kind(text: str, sides: tuple[str, ...]) -> Kind:
    if _PAPERS_HEAD.search(text) and not _COMPARISON.search(text) and not _TWO.search(text):
        return "list"  # "which papers use text, images or sound" sets nothing against anything
    if (
        sides
        or _TWO.search(text)
        or (_COMPARISON.search(text) and re.search(r"\b(?:and|with|from|to|versus|vs)\b", text, re.IGNORECASE))
    ):
        return "comparison"
    if not _COUNT_INSIDE.search(text) and any(
        form.search(text) for form in (_LIST, _LIST_HEAD, _WHICH_WORK, _LIST_ELLIPTIC)
    ):
        return "list"
    if _SUMMARY.search(text):
        return "summary"
    return "yes_no" if _YES_NO.search(text) else "fact"


_TWO = re.compile(
    r"\b(?:the two|these two|those two|both(?: of the)?) (?:\S+[ -]){0,4}?(?:papers|surveys|reviews|studies|works|articles|trials)\b",
    re.IGNORECASE,
)
_TWO_OF = re.compile(r"\b(?:the|these|those)\s+two\s+|\bboth\s+(?:of\s+the\s+)?", re.IGNORECASE)
_SORT_END = re.compile(
    r"[?!.:;,]|\b(?:differ\w*|compar\w*|contrast\w*|agree\w*|disagree\w*|have|has|had|find|found|say|said|contribut\w*|report\w*|"
    r"propos\w*|give|gave|use[sd]?|treat\w*|reach\w*|make|made|show\w*|conclud\w*|do|does|did|are|were|is|was|on whether|"
    r"whether|in terms|with respect|regarding|come|came|each|draw|take|handle\w*|deal\w*|argu\w*|suggest\w*|recommend\w*)\b",
    re.IGNORECASE,
)
_PAIR_PATTERNS = (
    re.compile(
        r"\b(?:do|does|did|are|were|is|was|can|have|has)\s+(?:both\s+)?([^,;:?]{2,80}?)\s+and\s+([^,;:?]{2,120})",
        re.I,
    ),
    re.compile(
        r"^([^,;:?]{2,60}?)\s+and\s+([^,;:?]{2,60}?)\s*[:,]\s*(?:which|what|how|who|where|do|does|did)\b", re.I
    ),
)


def _two_of(text: str) -> str:
    """What "the two …" are: "two bandit papers" gives "bandit papers", "two reviews of asthma" gives "reviews of asthma"."""
    if not _TWO.search(text) or not (match := _TWO_OF.search(text)):
        return ""
    return _SORT_END.split(text[match.end() :], maxsplit=1)[0].strip()


def _pair(text: str) -> tuple[str, ...]:
    for pattern in _PAIR_PATTERNS:
        if match := pattern.search(text):
            return tuple(side.strip(" .,:'") for side in match.groups())
    return ()


_SIDE_PATTERNS = (
    re.compile(
        r"\b(?:differences?|distinction|similarit(?:y|ies)|comparison|contrast)\s+between\s+(.+?)\s+and\s+(.+)", re.I
    ),
    re.compile(r"\bcompar(?:e|ing)\s+(.+?)\s+(?:and|with|to|against|versus|vs\.?)\s+(.+)", re.I),
    re.compile(r"\bcontrast\s+(.+?)\s+(?:and|with)\s+(.+)", re.I),
    re.compile(r"\bhow (?:do|does|did)\s+(.+?)\s+(?:differ|compare)s?\s*(?:from|to|with|against)\s+(.+)", re.I),
    re.compile(r"\bhow (?:do|does|did)\s+(.+?)\s+and\s+(.+?)\s+(?:differ|compare)\b", re.I),
    re.compile(r"\bhow (?:is|are)\s+(.+?)\s+different from\s+(.+)", re.I),
    re.compile(r"\bwhat do\s+(.+?)\s+and\s+(.+?)\s+have in common", re.I),
    re.compile(r"^(?:what (?:is|are) )?(.+?)\s+(?:versus|vs\.?)\s+(.+)", re.I),
    re.compile(r"\bdistinguish(?:es)?\s+(.+?)\s+(?:from|and)\s+(.+)", re.I),
    re.compile(r"^(.{2,60}?)\s+and\s+(.{2,60}?)\s+compared\b", re.I),
    re.compile(r"^(?:which|who|what)\b.{3,80}?[,:]\s*(.{2,60}?)\s+or\s+(.{2,60})$", re.I),
    re.compile(
        r"^(?:which|what)\b.{3,60}?\b(?:more|better|higher|lower|larger|fewer|best|worse)\b.{0,40}?[,:]?\s+(\S{2,30})\s+or\s+(\S{2,30})$",
        re.I,
    ),
)


def _sides(text: str) -> tuple[str, ...]:
    for pattern in _SIDE_PATTERNS:
        if match := pattern.search(text):
            return tuple(_trim(side) for side in match.groups())
    return ()


def _trim(side: str) -> str:
    side = re.split(r"[?;]|:\s|,\s*(?:in|how|what|which|and|with)\b|\s+in terms of\s+", side, maxsplit=1)[0]
    return side.strip(" .,:'\"")
