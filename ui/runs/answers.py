"""A recorded response as an answer, so that it can be shown as the chat would show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from assistant.answers import Abstention, Answer, Citation, Claim, Finding, Reason, Verdict
from assistant.papers import Paper
from ui.chat import turns
from ui.rendering import escape


def shown(case: Mapping[str, Any]) -> str:
    """The answer or refusal of a case as HTML; an error as one that cannot be taken for an answer."""
    response = case["response"]
    if response["status"] == "error":
        message = escape(response["error"] or "no message")
        return f'<div class="ibid-failure"><strong>No answer.</strong> <span>{message}</span></div>'
    return turns.finished(answer(case), None)


def answer(case: Mapping[str, Any]) -> Answer:
    """The answer that a recorded case holds; its record is not linked to, as it may be of another library."""
    response, papers = case["response"], case["papers"]
    refused = None
    if response["status"] == "abstained":
        reason: Reason = response["reason"] if response["reason"] in get_args(Reason) else "not_stated"
        refused = Abstention(reason, response["text"])
    return Answer(
        question=case["question"],
        query=case["question"],
        status=response["status"],
        text=response["text"],
        claims=tuple(_claim(said, papers) for said in response["said"]) if refused is None else (),
        citations=tuple(_citation(cited, papers) for cited in response["citations"]),
        abstention=refused,
        record_id="",
        engine=response["engine"] or "unknown",
        seconds=response["seconds"] or 0.0,
    )


def _claim(said: Mapping[str, Any], papers: Mapping[str, Paper]) -> Claim:
    verdict: Verdict = said["verdict"] if said["verdict"] in get_args(Verdict) else "unscored"
    citations = tuple(_citation(cited, papers) for cited in said["citations"])
    findings: tuple[Finding, ...] = ()
    return Claim(said["text"], said["start"], said["end"], verdict, said["score"], citations, findings)


def _citation(cited: Mapping[str, Any], papers: Mapping[str, Paper]) -> Citation:
    paper = papers.get(cited["paper_id"]) or Paper(cited["paper_id"], cited["title"], "")
    return Citation(cited["key"], paper, "", cited["quote"] or "", cited["start"] or 0, cited["end"] or 0)
