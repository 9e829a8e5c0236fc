"""A chat model as judge, over real HTTP: probabilities where the server tells them, `unscored` where it does not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import chat_model
from assistant.engine import Assistant
from assistant.errors import ModelError
from assistant.judging import ChatJudge, Judging, verifier, yes_share
from assistant.settings import Settings
from assistant.testing import tiny_library
from assistant.verification import verify
from tests.fake_openai import MODEL, FakeOpenAI, Script

EVIDENCE = ["PromptLadder raised the pass rate of beginners by 12.5% in a study with 8,349 students."]
PARAPHRASE = "Novices succeed more often when they use PromptLadder."
YES = {"Yes": math.log(0.7), " yes": math.log(0.2), "No": math.log(0.1)}


def judging(server: FakeOpenAI, **more: object) -> Judging:
    told = Settings.load(judge_model=MODEL, judge_base_url=server.base_url, chat_retries=0, chat_timeout_s=2, **more)
    made = verifier(told)
    assert isinstance(made, Judging)
    return made


def test_without_a_judge_in_the_settings_the_rules_verify() -> None:
    assert verifier(Settings.load()) is verify


def test_a_judge_tells_the_share_of_yes_and_is_asked_once_for_one_word() -> None:
    with FakeOpenAI(Script("Yes", words=YES)) as server:
        judge = ChatJudge(chat_model.connect(Settings.load(chat_model=MODEL, chat_base_url=server.base_url)))
        assert judge(PARAPHRASE, EVIDENCE, titles=["PromptLadder {claim}"]) == pytest.approx(0.9)
    (request,) = server.requests
    assert request["logprobs"] is True
    assert request["top_logprobs"] == 20
    assert (request.get("max_tokens") or request["max_completion_tokens"]) == 1
    content = request["messages"][0]["content"]
    assert "Title: PromptLadder {claim}\n" in content  # braces of a document fill nothing
    assert content.count(PARAPHRASE) == 1


@pytest.mark.parametrize(("yes", "verdict"), [(0.95, "supported"), (0.6, "partial"), (0.2, "unsupported")])
def test_the_judge_decides_where_no_rule_objects(yes: float, verdict: str) -> None:
    with FakeOpenAI(Script("Yes", words={"yes": math.log(yes), "no": math.log(1 - yes)})) as server:
        found = judging(server)(PARAPHRASE, EVIDENCE)
    assert found.verdict == verdict
    assert found.score == pytest.approx(yes, abs=1e-4)
    assert found.findings[-1].kind == "judged"


def test_a_judge_never_lifts_a_claim_over_a_rule() -> None:
    claim = "PromptLadder raised the pass rate of beginners by 64% in a study with 8,349 students."
    with FakeOpenAI(Script("Yes", words=YES)) as server:
        found = judging(server)(claim, EVIDENCE)
    assert found == verify(claim, EVIDENCE)
    assert found.verdict != "supported"
    assert server.requests == []


def test_a_claim_that_stands_in_the_evidence_needs_no_judge() -> None:
    with FakeOpenAI(Script("No", words={"no": -0.01})) as server:
        assert judging(server)(EVIDENCE[0], EVIDENCE).verdict == "supported"
        assert judging(server)(PARAPHRASE, []).verdict == "uncited"
    assert server.requests == []


@pytest.mark.parametrize(
    "script", [Script("Yes"), Script("Yes", words={}), Script("Maybe", words={"Maybe": -0.1, "yes": -9.0})]
)
def test_without_probabilities_of_yes_and_no_a_claim_is_unscored(script: Script) -> None:
    with FakeOpenAI(script) as server:
        found = judging(server)(PARAPHRASE, EVIDENCE)
    assert (found.verdict, found.score) == ("unscored", None)
    assert found.findings[-1].kind == "judge_silent"


@pytest.mark.parametrize("script", [Script(status=500), Script(fault="html"), Script(status=429)])
def test_a_judge_that_fails_leaves_the_claim_unscored(script: Script) -> None:
    with FakeOpenAI(script) as server:
        found = judging(server)(PARAPHRASE, EVIDENCE)
        with pytest.raises(ModelError):
            ChatJudge(
                chat_model.connect(Settings.load(chat_model=MODEL, chat_base_url=server.base_url, chat_retries=0))
            )(PARAPHRASE, EVIDENCE)
    assert found.verdict == "unscored"
    assert "could not be asked" in found.findings[-1].message


def test_an_answer_is_judged_where_the_settings_name_a_judge(tmp_path: Path) -> None:
    reply = Script(
        "PromptLadder raised the pass rate by 12.5% [3]. PromptLadder helped beginners pass [3].", words=YES
    )
    with tiny_library(tmp_path) as library, FakeOpenAI(reply) as server:
        told = Settings.load(strictness="lenient", chat_model=MODEL, chat_base_url=server.base_url, judge_model=MODEL)
        answer = Assistant(library, settings=told).ask("By how much did PromptLadder raise the pass rate?")
    assert any(finding.kind == "judged" for claim in answer.claims for finding in claim.findings)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["yes", " No"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["logprobs", "content", "top_logprobs", "token", "logprob"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_a_server_tells_is_a_probability_or_none(told: Any) -> None:
    found = yes_share({"logprobs": told})
    assert found is None or 0.0 <= found <= 1.0
