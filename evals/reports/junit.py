"""JUnit XML: one test per declared bound, one per case. A case fails a build only by an error; wrong answers are what
the bounds are for, so they are told in the case's output and counted there."""

from __future__ import annotations

import re
from xml.etree import ElementTree as xml

from evals.results import CaseResult, Run

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(run: Run) -> str:
    """The document as text."""
    summary = run.summary
    root = xml.Element("testsuites", name=f"ibid eval {summary.suite}", time=f"{summary.seconds:.3f}")
    verdicts = [bound.verdict for bound in summary.bounds]
    suite = xml.SubElement(
        root,
        "testsuite",
        name=f"{summary.suite}.bounds",
        tests=str(len(verdicts)),
        failures=str(verdicts.count("fail")),
        errors="0",
        skipped=str(verdicts.count("inconclusive")),
        timestamp=summary.started,
    )
    for bound in summary.bounds:
        test = xml.SubElement(suite, "testcase", classname=f"{summary.suite}.bounds", name=bound.bound)
        message = _clean(bound.why)
        if bound.verdict == "fail":
            xml.SubElement(test, "failure", message=message).text = _clean(", ".join(bound.failing))
        elif bound.verdict == "inconclusive":
            xml.SubElement(test, "skipped", message=f"inconclusive: {message}")
    cases = xml.SubElement(
        root,
        "testsuite",
        name=f"{summary.suite}.cases",
        tests=str(summary.n),
        failures="0",
        errors=str(summary.errors),
        skipped="0",
        timestamp=summary.started,
    )
    for result in run.results:
        _case(cases, summary.suite, result)
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


def _case(parent: xml.Element, suite: str, result: CaseResult) -> None:
    seconds = result.response.seconds or 0.0
    name = _clean(f"{result.case.id}: {result.case.question}")
    test = xml.SubElement(
        parent, "testcase", classname=f"{suite}.{result.case.kind}", name=name, time=f"{seconds:.3f}"
    )
    if result.outcome == "error":
        xml.SubElement(test, "error", message=_clean(result.response.error or "error"))
    xml.SubElement(test, "system-out").text = _clean(f"{result.outcome}\n{result.response.text}")


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
