"""The HTTP interface for programs, over the bundled papers: what it gives, and how it fails."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.library import Library
from tests.served import served, services

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "How many combinations of system message snippets were assessed?"
UNANSWERABLE = "What hardware was used to train the models of the cautious weight decay paper?"


@pytest.fixture(scope="module")
def http(bundled: Library) -> Iterator[httpx.Client]:
    with served(services(bundled)) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture
def own(bundled_copy: Path) -> Iterator[httpx.Client]:
    """A server over papers that the test may change."""
    with (
        Library.open(bundled_copy) as library,
        served(services(library)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


def _events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def _exact(http: httpx.Client, answer: dict[str, Any]) -> int:
    """Checks every offset of an answer against the papers as the server gives them; gives how many citations."""
    for claim in answer["claims"]:
        assert answer["text"][claim["start"] : claim["end"]] == claim["text"]
    citations = [*answer["citations"], *(c for claim in answer["claims"] for c in claim["citations"])]
    for citation in citations:
        paper = http.get(f"/v1/papers/{citation['paper']['id']}").json()
        assert paper["abstract"][citation["start"] : citation["end"]] == citation["quote"]
        assert f"[{citation['key']}]" in answer["text"]
    return len(citations)


# --- questions --------------------------------------------------------------------------------------------------------


def test_an_answer_has_its_claims_and_exact_places(http: httpx.Client) -> None:
    answer = http.post("/v1/ask", json={"question": QUESTION}).json()
    assert answer["status"] == "answered"
    assert "60 combinations" in answer["text"]
    assert {claim["verdict"] for claim in answer["claims"]} == {"quoted"}
    assert _exact(http, answer) >= 2


def test_a_refusal_is_a_kind_of_answer(http: httpx.Client) -> None:
    answer = http.post("/v1/ask", json={"question": "Which bacteria live in hydrothermal vents?"}).json()
    assert answer["status"] == "abstained"
    assert answer["abstention"]["reason"] == "nothing_relevant"
    assert answer["claims"] == answer["citations"] == []
    assert answer["text"] == answer["abstention"]["message"]


@pytest.mark.parametrize("way", ["field", "header"])
def test_a_stream_has_typed_events_in_order_and_they_join_to_the_answer(http: httpx.Client, way: str) -> None:
    headers = {"Accept": "text/event-stream"} if way == "header" else {}
    reply = http.post("/v1/ask", json={"question": QUESTION, "stream": way == "field"}, headers=headers)
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = _events(reply.text)
    names = [name for name, _ in events]
    assert names[0] == "Retrieved"
    assert names[-1] == "Finished"
    assert set(names[1:-1]) == {"Token", "ClaimVerified"}
    assert names.index("Token") < names.index("ClaimVerified")
    answer = events[-1][1]["answer"]
    assert "".join(data["text"] for name, data in events if name == "Token") == answer["text"]
    assert [data["claim"] for name, data in events if name == "ClaimVerified"] == answer["claims"]
    assert events[0][1]["hits"][0]["rank"] == 1
    _exact(http, answer)


def test_a_conversation_goes_on(http: httpx.Client) -> None:
    first = http.post("/v1/ask", json={"question": "What is cautious weight decay?", "conversation": "new"}).json()
    assert first["conversation"]
    follow_up = {"question": "Which optimizers was it tried with?", "conversation": first["conversation"]}
    second = http.post("/v1/ask", json=follow_up).json()
    assert second["query"] != second["question"]
    assert second["conversation"] == first["conversation"]
    unknown = http.post("/v1/ask", json={"question": "And?", "conversation": "cnone"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")


def test_filters_narrow_and_one_that_matches_nothing_says_so(http: httpx.Client) -> None:
    answer = http.post("/v1/ask", json={"question": QUESTION, "filters": {"author": "Nobody"}}).json()
    assert answer["abstention"]["reason"] == "filter_matched_nothing"
    ids = [paper["id"] for paper in http.get("/v1/papers", params={"limit": 3}).json()["papers"]]
    found = http.post("/v1/search", json={"question": "prompts", "filters": {"ids": ids}}).json()
    assert {hit["paper"]["id"] for hit in found["hits"]} == set(ids)


def test_a_search_gives_passages_that_stand_where_they_say(http: httpx.Client) -> None:
    hits = http.post("/v1/search", json={"question": "weight decay", "k": 3}).json()["hits"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    for hit in hits:
        abstract = http.get(f"/v1/papers/{hit['paper']['id']}").json()["abstract"]
        for passage in hit["passages"]:
            assert abstract[passage["start"] : passage["end"]] == passage["text"]


def test_an_answer_can_be_fetched_and_checked_again(http: httpx.Client) -> None:
    answer = http.post("/v1/ask", json={"question": QUESTION}).json()
    record = http.get(f"/v1/answers/{answer['record_id']}").json()
    assert record["question"] == QUESTION
    assert record["answer"]["text"] == answer["text"]
    assert record["evidence"]
    checked = http.post("/v1/verify", json={"record_id": answer["record_id"]}).json()
    assert checked["ok"] is True
    assert {citation["quote_state"] for citation in checked["citations"]} == {"exact"}
    assert http.get("/v1/answers/rnone").json()["error"]["code"] == "not_found"


def test_a_paper_is_changed_and_tells_where_each_field_came_from(own: httpx.Client) -> None:
    added = {
        "title": "Lakes",
        "abstract": "Lakes are wet.",
        "year": 2019,
        "doi": "10.1000/lakes",
        "citekey": "lee2019",
    }
    assert own.post("/v1/papers", json={"papers": [added]}).json()["added"] == 1
    change = {"year": 2020, "venue": None, "authors": ["Ann Lee"], "note": "Small.", "tags": ["thesis"]}
    told = own.patch("/v1/papers/10.1000/lakes", json=change).json()
    assert (told["year"], told["authors"], told["note"], told["tags"]) == (2020, ["Ann Lee"], "Small.", ["thesis"])
    assert told["provenance"]["year"] == told["provenance"]["tags"] == "you"
    assert told["provenance"]["title"].endswith("sent.jsonl")
    assert (told["citekeys"], told["identifiers"], told["notices"]) == (["lee2019"], [["doi", "10.1000/lakes"]], [])
    assert own.get("/v1/papers/@lee2019").json() == told
    for narrowed in ({"tag": "thesis"}, {"note": "small"}):
        assert [paper["id"] for paper in own.get("/v1/papers", params=narrowed).json()["papers"]] == [told["id"]]
    back = own.patch("/v1/papers/10.1000/lakes", json={"reset": ["year"], "untags": ["thesis"]}).json()
    assert (back["year"], back["tags"]) == (2019, [])
    assert own.patch("/v1/papers/10.1000/lakes", json={}).json() == back
    for wrong, status in (({"doi": "nonsense"}, 422), ({"title": None}, 422), ({"colour": "red"}, 422)):
        assert own.patch("/v1/papers/10.1000/lakes", json=wrong).status_code == status
    assert own.patch("/v1/papers/nobody", json={"year": 2000}).status_code == 404


def test_volume_and_pages_come_and_go_over_http(own: httpx.Client) -> None:
    added = {"title": "Ponds", "abstract": "Ponds are small.", "doi": "10.1000/ponds", "details": {"volume": "7"}}
    assert own.post("/v1/papers", json={"papers": [added]}).json()["added"] == 1
    address = "/v1/papers/10.1000/ponds"
    told = own.patch(address, json={"details": {"page": "1-9", "volume": "8"}}).json()
    assert told["details"] == {"page": "1-9", "volume": "8"}
    assert told["provenance"]["details.page"] == "you"
    told = own.patch(address, json={"details": {"page": None}, "reset": ["volume"]}).json()
    assert told["details"] == {"volume": "7"}
    for wrong in ({"colour": "red"}, {"note": "theirs"}, {"type": "sonnet"}, {"volume": "x" * 301}):
        refused = own.patch(address, json={"details": wrong})
        assert refused.status_code == 422, wrong
    assert own.get(address).json()["details"] == {"volume": "7"}


def test_a_retraction_is_told_of_with_the_paper_and_with_answers(own: httpx.Client) -> None:
    record = {
        "DOI": "10.1000/j", "title": ["Sleep and Memory in Mice"], "author": [{"given": "Bo", "family": "Jones"}],
        "abstract": "We tested sleep in 60 mice. Longer sleep improved memory by 30 percent.", "publisher": "P",
        "updated-by": [{"DOI": "10.1000/r", "type": "retraction", "label": "Retraction"}],
    }  # fmt: skip
    files = {"files": ("crossref.jsonl", json.dumps(record).encode() + b"\n")}
    assert own.post("/v1/papers/files", files=files).json()["added"] == 1
    notices = ["Retracted: doi:10.1000/r"]
    question = "By how much did longer sleep improve memory in mice?"
    assert own.get("/v1/papers/10.1000/j").json()["notices"] == notices
    assert own.get("/v1/papers", params={"ids": "10.1000/j"}).json()["papers"][0]["notices"] == notices
    assert own.post("/v1/search", json={"question": question}).json()["hits"][0]["paper"]["notices"] == notices
    answer = own.post("/v1/ask", json={"question": question}).json()
    assert answer["citations"][0]["paper"]["notices"] == notices
    record_told = own.get(f"/v1/answers/{answer['record_id']}").json()
    assert record_told["answer"]["citations"][0]["paper"]["notices"] == notices


def test_claims_and_drafts_are_checked(http: httpx.Client) -> None:
    title = "The Unreasonable Effectiveness of Eccentric Automatic Prompts"
    claims = [
        {"id": "a", "claim": "We assess 70 combinations of system message snippets.", "papers": [title]},
        {"id": "b", "claim": "The models were trained on a cluster of toasters.", "papers": ["No such paper"]},
    ]
    checked = http.post("/v1/verify", json={"claims": claims}).json()["claims"]
    assert [claim["id"] for claim in checked] == ["a", "b"]
    assert checked[0]["verdict"] in ("unsupported", "contradicted")
    assert checked[1]["findings"][0]["kind"] == "unknown_paper"
    draft = (
        "Cautious Weight Decay applies weight decay only to some parameter coordinates. It was a sunny day in May."
    )
    sentences = http.post("/v1/verify", json={"text": draft}).json()["sentences"]
    assert [draft[s["start"] : s["end"]] for s in sentences] == [s["text"] for s in sentences]
    assert http.post("/v1/verify", json={"text": draft, "record_id": "r"}).status_code == 422


# --- papers -----------------------------------------------------------------------------------------------------------


def test_papers_come_a_page_at_a_time(http: httpx.Client) -> None:
    seen, offset = [], 0
    while offset is not None:
        page = http.get("/v1/papers", params={"limit": 25, "offset": offset}).json()
        seen += [paper["id"] for paper in page["papers"]]
        offset = page["next"]
    assert len(seen) == len(set(seen)) == page["total"] == 59
    assert "abstract" not in page["papers"][0]
    assert http.get("/v1/papers", params={"offset": 1000}).json()["papers"] == []


def test_papers_are_added_found_and_removed(own: httpx.Client) -> None:
    paper = {
        "title": "Xylophones for Grounding",
        "abstract": "We ground answers with xylophones. Naïve 𝒳-rays fail.",
        "authors": ["Zoë Ångström"],
        "year": 2024,
        "doi": "10.1234/AbC",
    }
    report = own.post("/v1/papers", json={"papers": [paper]}).json()
    assert (report["added"], report["ids"]["added"]) == (1, ["doi:10.1234/abc"])
    assert own.post("/v1/papers", json={"papers": [paper]}).json()["unchanged"] == 1
    stored = own.get("/v1/papers/10.1234/abc").json()
    assert (stored["abstract"], stored["authors"], stored["year"]) == (paper["abstract"], paper["authors"], 2024)
    assert own.get("/v1/papers", params={"author": "ångström", "year": "2020-"}).json()["total"] == 1
    answer = own.post("/v1/ask", json={"question": "What are answers grounded with?"}).json()
    assert "xylophones" in answer["text"]
    _exact(own, answer)
    assert own.delete("/v1/papers/doi:10.1234/abc").json() == {"removed": 1, "papers": 59}
    assert own.delete("/v1/papers/doi:10.1234/abc").json()["error"]["code"] == "not_found"


def test_files_are_added_with_what_is_wrong_in_them(own: httpx.Client) -> None:
    good = b"@article{k, title={A Bird in the Hand}, abstract={A bird in the hand is worth two.}, year=2001}"
    files = [("files", ("refs.bib", good)), ("files", ("../../broken.jsonl", b'{"title": 1\n'))]
    report = own.post("/v1/papers/files", files=files).json()
    assert report["added"] == 1
    assert report["rejected"]
    assert all(rejected["where"].startswith("broken.jsonl") for rejected in report["rejected"])
    stored = own.get(f"/v1/papers/{report['ids']['added'][0]}").json()
    assert (stored["citekey"], stored["source"]) == ("k", "bibtex:refs.bib")


def test_packed_files_are_added_and_bounded(own: httpx.Client) -> None:
    lines = [json.dumps({"title": f"Packed {name} paper", "abstract": f"It says {name}."}) for name in ("one", "two")]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("in/side.jsonl", lines[1])
    bomb = gzip.compress(b'{"title": "' + bytes(90 << 20).replace(b"\x00", b"a"))
    files = [
        ("files", ("a.jsonl.gz", gzip.compress(lines[0].encode()))),
        ("files", ("b.zip", archive.getvalue())),
        ("files", ("c.json.gz", bomb)),
    ]
    report = own.post("/v1/papers/files", files=files).json()
    assert report["added"] == 2
    assert [one["where"] for one in report["rejected"]] == ["c.json.gz"]
    assert "times its size" in report["rejected"][0]["reason"]


def test_a_file_of_another_kind_or_size_is_refused(own: httpx.Client) -> None:
    wrong = own.post("/v1/papers/files", files={"files": ("run.exe", b"MZ")})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (415, "wrong_kind")
    plain = own.post("/v1/papers/files", content=b"{}", headers={"content-type": "application/json"})
    assert plain.status_code == 422
    large = own.post("/v1/papers/files", files={"files": ("large.bib", bytes(51 * 1024 * 1024))})
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    assert own.get("/v1/papers").json()["total"] == 59


_WRITER = """
import sys, time
from assistant.library import Library
with Library.open(sys.argv[1], create=False) as library, library.writing("a test"):
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_while_another_process_writes_adding_is_refused_and_asking_goes_on(
    own: httpx.Client, bundled_copy: Path
) -> None:
    command = [sys.executable, "-c", _WRITER, str(bundled_copy)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        refused = own.post("/v1/papers", json={"papers": [{"title": "A", "abstract": "A paper of one sentence."}]})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "library_locked")
        assert "being written by process" in refused.json()["error"]["message"]
        assert own.delete("/v1/papers/x" * 2).status_code == 404
        assert own.post("/v1/ask", json={"question": QUESTION}).json()["status"] == "answered"
        writer.stdin.close()


def test_what_another_process_adds_shows_within_seconds(
    own: httpx.Client, bundled_copy: Path, tmp_path: Path
) -> None:
    before = own.post("/v1/search", json={"question": "gold-plated gazebos"}).json()["hits"]
    assert all("gazebo" not in hit["paper"]["title"] for hit in before)
    source = tmp_path / "new.bib"
    source.write_text("@misc{g, title={On gazebos}, abstract={We present gold-plated gazebos for gardens.}}")
    command = [sys.executable, "-m", "assistant", "add", "--library", str(bundled_copy), str(source)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    added = time.monotonic()
    while own.get("/v1/papers").json()["total"] != 60:
        assert time.monotonic() - added < 5
        time.sleep(0.05)
    assert (
        own.post("/v1/search", json={"question": "gold-plated gazebos"})
        .json()["hits"][0]["paper"]["title"]
        .startswith("On gazebos")
    )
    answer = own.post("/v1/ask", json={"question": "What is presented for gardens?"}).json()
    assert "gazebos" in answer["text"]
    assert time.monotonic() - added < 5


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nothing", None, 404, "not_found"),
        ("GET", "/v1/papers/no-such-paper", None, 404, "not_found"),
        ("PUT", "/v1/ask", {}, 405, "method_not_allowed"),
        ("POST", "/health", {}, 405, "method_not_allowed"),
        ("POST", "/v1/ask", {}, 422, "bad_request"),
        ("POST", "/v1/ask", {"question": ""}, 422, "bad_request"),
        ("POST", "/v1/ask", {"question": "x" * 20_001}, 422, "bad_request"),
        ("POST", "/v1/ask", {"question": "x", "unknown": 1}, 422, "bad_request"),
        ("POST", "/v1/ask", {"question": "x", "filters": {"colour": "red"}}, 422, "bad_request"),
        ("POST", "/v1/ask", {"question": "x", "filters": {"year": "2024-2020"}}, 422, "bad_filter"),
        ("POST", "/v1/search", {"question": "x", "k": 101}, 422, "bad_request"),
        ("GET", "/v1/papers?limit=0", None, 422, "bad_request"),
        ("GET", "/v1/papers?offset=99999999999999999999", None, 422, "bad_request"),
        ("POST", "/v1/verify", {}, 422, "bad_request"),
        ("POST", "/v1/ask", {"question": "x" * 300_000}, 413, "too_large"),
    ],
)
def test_a_failure_is_json_of_one_shape(
    http: httpx.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    reply = http.request(method, path, json=body)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["code"] == code
    assert error["message"]
    assert "\n" not in error["message"]


def test_a_body_that_is_not_json_is_named(http: httpx.Client) -> None:
    reply = http.post("/v1/ask", content=b"{bad", headers={"content-type": "application/json"})
    assert reply.json() == {"error": {"code": "bad_request", "message": "the body is not JSON"}}
    surrogate = http.post("/v1/ask", content=b'{"question": "\\ud800"}', headers={"content-type": "application/json"})
    assert surrogate.status_code == 422


def test_a_body_that_grows_past_the_limit_is_cut_off(http: httpx.Client) -> None:
    reply = http.post("/v1/ask", content=(b"x" * 1000 for _ in range(300)))
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")


def test_a_broken_library_is_no_traceback(bundled_copy: Path) -> None:
    with Library.open(bundled_copy) as library, served(services(library)) as address:
        library.close()
        (bundled_copy / "library.sqlite").write_bytes(b"not a database" * 1000)
        for path in ("/health", "/v1/papers"):
            reply = httpx.get(address + path, timeout=30)
            assert reply.status_code == 503
            assert reply.json()["error"]["code"] == "library_unusable"


# --- the server -------------------------------------------------------------------------------------------------------


def test_health_and_metrics_tell_how_it_is_doing(http: httpx.Client) -> None:
    http.post("/v1/ask", json={"question": QUESTION})
    assert http.get("/health").json()["status"] == "ok"
    reply = http.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    assert "ibid_papers 59.0" in reply.text
    assert 'ibid_answers_total{engine="quotes",status="answered"}' in reply.text
    assert "ibid_answers_in_progress 0.0" in reply.text
    assert 'route="/v1/papers/{reference:path}"' in reply.text
    assert "title:" not in reply.text


def test_the_schema_has_every_route_with_examples(http: httpx.Client) -> None:
    schema = http.get("/openapi.json").json()
    assert {
        "/v1/papers",
        "/v1/papers/files",
        "/v1/papers/{reference}",
        "/v1/search",
        "/v1/ask",
        "/v1/answers/{record_id}",
        "/v1/verify",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/{name}",
        "/health",
        "/metrics",
    } == set(schema["paths"])
    for name in ("AskRequest", "SearchRequest", "NewPaper", "CompletionRequest"):
        assert schema["components"]["schemas"][name]["examples"]
