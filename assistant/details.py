"""Details that questions ask of papers and abstracts often leave out: how each is asked for, and how a text that states
it shows it.

A table of the vocabulary of bibliographies and of reported experiments, in no way of any corpus. A question that asks
for a detail whose signs a paper lacks is one that its abstract does not answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """`name` reads well after "does not state"."""

    name: str
    asked: re.Pattern[str]
    shown: re.Pattern[str]
    recorded: str | None = None  # the field of a Paper that may hold it instead


def _detail(name: str, asked: str, shown: str, recorded: str | None = None) -> Detail:
    return Detail(name, re.compile(asked, re.IGNORECASE), re.compile(shown, re.IGNORECASE), recorded)


_NEVER = r"(?!)"

DETAILS: tuple[Detail, ...] = (
    _detail(
        "its authors",
        r"\b(?:who (?:wrote|authored|published|are|is|were|was|proposed|invented|developed|created|introduced|made)\b|"
        r"(?:(?:what|which|who|list|name|give|are|is|were|its|their|the|and)\W+(?:\w+\W+){0,3})?authors?\b(?=\W*$)|"
        r"(?:who|which|what|list|name|give)\b(?:\W+(?!(?:do|does|did|can|could|will|would|have|has|had|should)\b)\w+){0,5}?\W+authors?\b(?!['’]|\W+(?:of (?:this|the) \w+ )?(?:conclu|find|found|recommend|suggest|say|report|claim|argue|mean|use))|"
        r"authors? (?:names?|list)|by whom|"
        r"whose (?:paper|work)|names? of the (?:authors?|researchers?)|"
        r"researchers? (?:wrote|behind)|first author|lead author|corresponding author|co-?authors?)",
        _NEVER,
        "authors",
    ),
    _detail(
        "its authors' affiliations",
        r"\b(?:affiliat\w+|universit(?:y|ies)|institut(?:e|ion|ions)|which (?:lab|company|group|country)|what (?:lab|"
        r"company|group)|where (?:do|did|does) the authors? (?:work|come)|work for)\b",
        r"\b(?:universit(?:y|ies)|institutes?|hospitals?|laborator(?:y|ies))\b",
    ),
    _detail("who funded it", r"\b(?:fund(?:ed|ing|er|ers|s)|grants?|sponsor\w*|financ\w+)\b", r"\b(?:fund\w*|grants?|sponsor\w*)\b"),
    _detail(
        "when it was published",
        r"\b(?:when (?:was|were|did).{0,60}\b(?:publish\w*|releas\w+|written|submit\w*|appear\w*|come out)|"
        r"(?:publication|submission|release) (?:date|year)|(?:what|which) year (?:was|were|did).{0,60}(?:publish\w*|"
        r"written|appear\w*|releas\w*|come out)|year of publication|how (?:old|recent) is (?:the|this|that) (?:paper|study|work))\b",
        _NEVER,
        "year",
    ),
    _detail(
        "where it was published",
        r"\b(?:(?:which|what) (?:conference|journal|venue|publisher|proceedings|workshop)|where (?:was|were|is).{0,60}\bpublish\w*|"
        r"(?:published|presented|accepted|appear\w*) (?:at|in) (?:which|what)|venue of)\b",
        _NEVER,
        "venue",
    ),
    _detail("its DOI", r"\bdoi\b", r"\b10\.\d{4,}/", "doi"),
    _detail("how often it was cited", r"\b(?:citation count|how (?:many|often).{0,30}\b(?:cited|citations?)|times cited|impact factor)\b", _NEVER),
    _detail("its licence", r"\blicen[cs]\w*", r"\b(?:licen[cs]\w*|MIT|Apache|CC.BY|GPL)\b"),
    _detail(
        "the hardware used",
        r"\b(?:gpus?|tpus?|cpus?|hardware|accelerators?|nvidia|a100s?|h100s?|v100s?|machines? (?:was|were)|compute (?:was|budget|"
        r"resources?|cluster)|vram|(?:how much|gpu) memory)\b",
        r"\b(?:gpus?|tpus?|cpus?|hardware|accelerators?|nvidia|[ahv]100|rtx|compute budget|memory)\b",
    ),
    _detail(
        "how long training took",
        r"\b(?:how long (?:did|does|was|is|were).{0,60}\b(?:train\w*|run|take|fine-?tun\w*|experiment\w*)|training (?:time|duration)|"
        r"(?:gpu|training|wall.clock) (?:hours|days|time)|how many (?:gpu.?)?(?:hours|days))\b",
        r"\b\d[\d.,]*\s*(?:gpu[- ]?)?(?:hours?|days?|minutes?|weeks?|seconds?|months?|years?)\b|\btraining time\b",
    ),
    _detail(
        "what it cost",
        r"\b(?:how much (?:money|did.{0,40}cost)|(?:training|api|monetary|financial|total) costs?|costs? (?:in|of) (?:dollars|usd|"
        r"training)|budget|dollars|usd|how expensive|price)\b",
        r"[$€£]\s*\d|\b(?:dollars?|usd|eur|costs?|cost-effective\w*|low-cost|budget|price|expens\w+)\b",
    ),
    _detail("the learning rate", r"\blearning.?rates?\b|\blr\b", r"\blearning.?rates?\b"),
    _detail("the batch size", r"\bbatch.?sizes?\b", r"\bbatch.?sizes?\b|\bbatch(?:es)? of \d"),
    _detail(
        "the number of epochs or steps",
        r"\b(?:how many|number of|for how many) (?:training |gradient |optimi[sz]ation )?(?:epochs?|steps?|iterations?|updates)\b|\bepochs?\b",
        r"\b(?:\d[\d,.kKmM]*|one|two|three|single|few) (?:training |gradient )?(?:epochs?|steps?|iterations?|updates)\b",
    ),
    _detail("the optimizer", r"\b(?:which|what) optimi[sz]er\b|\boptimi[sz]er (?:was|is|did|used)", r"\b(?:adamw?|sgd|adagrad|rmsprop|lion|muon|lamb|optimi[sz]ers?)\b"),
    _detail("the random seeds", r"\b(?:random )?seeds?\b", r"\b(?:random )?seeds?\b"),
    _detail("the sampling temperature", r"\b(?:sampling|decoding|softmax)? ?temperature\b", r"\btemperature\b"),
    _detail("its hyper-parameters", r"\bhyper-?parameters?\b|\bdropout\b|\bweight decay (?:value|coefficient|of)\b|\bwarm-?up\b|\blora rank\b", r"\bhyper-?parameters?\b|\bdropout\b|\bwarm-?up\b|\blora\b"),
    _detail("the context length", r"\b(?:context|sequence|window) (?:length|size|window)\b|\bhow many tokens\b", r"\b(?:context|sequence|window) (?:length|size|window)\b|\b\d[\d,.]*\s*[kKmM]?[- ]tokens?\b"),
    _detail("how many layers it has", r"\b(?:how many|number of) (?:\w+ ){0,2}(?:layers|heads|hidden units|neurons)\b", r"\b\d+[- ]layers?\b|\b(?:two|three|four|five|six|twelve)[- ]layer"),
    _detail("where its code is", r"\b(?:github|gitlab|(?:code )?repo(?:sitory)?|source code)\b|\bcode (?:available|released|public|link|url)\b|\bis the code\b|\bwhere .{0,20}\bcode\b|\blink to the code\b", r"https?://|\b(?:codes?|implementations?)\b.{0,60}\b(?:available|released?|public|accessible|open|acceptance)|\bopen-?sourc\w+"),
    _detail("a p-value", r"\bp[- ]?values?\b|\bstatistically significant\?", r"\bp\s*[<>=≤]|\bp[- ]values?\b|\bsignifican\w+"),
    _detail("a confidence interval", r"\bconfidence intervals?\b", r"\bconfidence intervals?\b|\bCI\b"),
    _detail("the statistical test used", r"\b(?:which|what) statistical (?:test|method|analysis)\b", r"\b(?:t-test|anova|regression|chi-?squared?|wilcoxon|mann-whitney|log-rank|kaplan|cox|bayesian|fisher)\b"),
    _detail("who annotated the data", r"\b(?:annotators?|crowd-?workers?|labell?ers|raters?|human evaluators?)\b", r"\b(?:annotat\w+|crowd\w*|labell?ers?|raters?|evaluators?|judges?|experts?)\b"),
    _detail("an e-mail address", r"\be-?mails?\b|\bcontact\b.{0,30}\bauthors?\b", r"\S+@\S+\.\w+"),
)  # fmt: skip


def asked(question: str) -> tuple[Detail, ...]:
    """The details that a question asks for, in the order of the table."""
    return tuple(detail for detail in DETAILS if detail.asked.search(question))


def stated(detail: Detail, text: str) -> bool:
    """Whether a text shows signs of stating the detail."""
    return detail.shown.search(text) is not None
