"""Who may ask a served library, how much, and what of; and the headers of every reply."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from assistant import users
from assistant.errors import InputError, SettingsError
from assistant.library import Library
from assistant.users import User
from tests.scripted_assistant import ScriptedAssistant
from tests.served import served, services
from ui.api.access import COOKIE, Access, Who
from ui.api.errors import Refusal
from ui.api.limits import Limits, Places, Rate
from ui.api.uploads import Kinds
from ui.guard import HEADERS
from ui.server import Reach, application
from ui.services import Services

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "a-token-of-some-length"
ADA, BEN = User.of("ada", "correct horse"), User.of("ben", "battery staple")
QUESTION = {"question": "What does cautious weight decay change?"}


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


# --- users ------------------------------------------------------------------------------------------------------------


def test_a_password_is_kept_as_a_salted_hash_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "users"
    assert users.add(path, ADA) is True
    assert users.add(path, BEN) is True
    assert users.add(path, User.of("ada", "another one")) is False
    assert "horse" not in path.read_text()
    assert os.stat(path).st_mode & 0o077 == 0
    there = users.read(path)
    assert set(there) == {"ada", "ben"}
    assert there["ada"].has("another one")
    assert not there["ada"].has("correct horse")
    assert User.of("x", "same word").hashed != User.of("y", "same word").hashed


@pytest.mark.parametrize("line", ["ada", "ada:md5:1", "ada:scrypt:3:8:1:00:00", "ada:scrypt:16384:8:1:zz:zz", ":::"])
def test_a_line_that_is_no_user_is_named_with_its_place(tmp_path: Path, line: str) -> None:
    path = tmp_path / "users"
    path.write_text(f"# who may ask\n\n{line}\n")
    with pytest.raises(InputError, match=r"users:3 is no user; .*--add-user"):
        users.read(path)


@pytest.mark.parametrize(
    ("name", "password"), [("a b", "long enough"), ("", "long enough"), ("ada", "short"), ("a:b", "x" * 9)]
)
def test_a_name_or_password_that_cannot_be_used_is_refused(name: str, password: str) -> None:
    with pytest.raises(InputError):
        User.of(name, password)


def test_a_file_of_nobody_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("# nobody yet\n")
    with pytest.raises(InputError, match="no user in"):
        users.read(path)
    with pytest.raises(InputError, match="cannot read users"):
        users.read(tmp_path / "none")


def test_the_command_line_adds_a_user(tmp_path: Path) -> None:
    path = tmp_path / "users"
    command = [sys.executable, "-m", "assistant", "serve", "--auth-file", str(path), "--add-user", "ada"]
    done = subprocess.run(command, input="correct horse\n", text=True, capture_output=True, cwd=ROOT, check=True)
    assert "ada added to" in done.stdout
    assert "horse" not in done.stdout + done.stderr
    assert users.read(path)["ada"].has("correct horse")


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "ibid.example"])
def test_beyond_loopback_nothing_is_served_without_saying_who_may_ask(host: str) -> None:
    with pytest.raises(SettingsError, match="IBID_TOKEN or --auth-file"):
        Reach(host).access()
    with pytest.raises(SettingsError, match="guessed"):
        Reach(host, token="short").access()
    assert not Reach(host, token=TOKEN).access().open


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_loopback_anyone_may_ask(host: str) -> None:
    assert Reach(host).access().open


def test_serve_refuses_to_start_in_one_line() -> None:
    command = [sys.executable, "-m", "assistant", "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, text=True, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"ibid: '0\.0\.0\.0' can be reached from other machines; .*\n", done.stderr)


@pytest.mark.parametrize(
    ("header", "who"),
    [
        (f"Bearer {TOKEN}", Who()),
        (f"bearer {TOKEN}", Who()),
        (_basic("anything", TOKEN), Who()),
        (_basic("ada", "correct horse"), Who("ada")),
        ("Bearer ada:correct horse", Who("ada")),
        (_basic("ada", "battery staple"), None),
        (_basic("eve", "correct horse"), None),
        (f"Bearer {TOKEN}x", None),
        ("Bearer ", None),
        ("Bearer", None),
        ("Basic ???", None),
        (TOKEN, None),
    ],
)
def test_a_key_says_who_asks(header: str, who: Who | None) -> None:
    access = Access(TOKEN, {"ada": ADA, "ben": BEN})
    for _ in range(2):  # the second time from memory
        assert access.who(Headers({"authorization": header})) == who


@given(st.text(max_size=40))
def test_no_other_key_lets_anybody_in(key: str) -> None:
    access = Access(TOKEN)
    assert access.bearer(key) is (None if key != TOKEN and not key.endswith(f":{TOKEN}") else Who())


def test_a_cookie_holds_for_its_user_and_time_and_dies_with_the_password() -> None:
    now = [1000.0]
    access = Access(None, {"ada": ADA, "ben": BEN}, now=lambda: now[0])
    cookie = access.cookie(Who("ada"))

    def who(value: str, by: Access = access) -> Who | None:
        return by.who(Headers({"cookie": f"other=1; {COOKIE}={value}"}))

    assert who(cookie) == Who("ada")
    assert who(cookie, Access(None, {"ada": ADA}, now=lambda: now[0])) == Who("ada")  # a restarted server
    assert who(cookie, Access(None, {"ada": User.of("ada", "another one")}, now=lambda: now[0])) is None
    assert who(cookie, Access(None, {"ben": BEN}, now=lambda: now[0])) is None
    name, until, signature = cookie.split(".")
    ben = base64.urlsafe_b64encode(b"ben").decode()
    assert who(f"{ben}.{until}.{signature}") is None
    assert who(f"{name}.{int(until) + 1}.{signature}") is None
    assert who("nonsense") is None
    now[0] += 15 * 24 * 3600
    assert who(cookie) is None


@pytest.fixture(scope="module")
def guarded(bundled: Library) -> Iterator[str]:
    """A server with two users."""
    with served(services(bundled), access=Access(None, {"ada": ADA, "ben": BEN})) as address:
        yield address


def _as(name: str, password: str, address: str) -> httpx.Client:
    return httpx.Client(base_url=address, auth=(name, password), timeout=60)


def test_without_a_key_only_health_is_told(guarded: str) -> None:
    assert httpx.get(f"{guarded}/health").status_code == 200
    for path in ("/v1/papers", "/metrics", "/openapi.json", "/config", "/gradio_api/info", "/page/page.css"):
        reply = httpx.get(guarded + path)
        assert reply.status_code == 401, path
        assert reply.json()["error"]["code"] == "unauthorised"
        assert reply.headers["www-authenticate"].startswith("Bearer")
    error = httpx.post(f"{guarded}/v1/chat/completions", json={}).json()["error"]
    assert error["type"] == "authentication_error"


def test_one_users_conversations_and_answers_are_not_anothers(guarded: str, bundled: Library) -> None:
    with _as("ada", "correct horse", guarded) as ada, _as("ben", "battery staple", guarded) as ben:
        answer = ada.post("/v1/ask", json={**QUESTION, "conversation": "new"}).json()
        alone = ada.post("/v1/ask", json=QUESTION).json()
        assert bundled.conversation_user(answer["conversation"]) == "ada"
        for record_id in (answer["record_id"], alone["record_id"]):
            assert ada.get(f"/v1/answers/{record_id}").json()["user"] == "ada"
            assert ben.get(f"/v1/answers/{record_id}").status_code == 404
            assert ben.post("/v1/verify", json={"record_id": record_id}).status_code == 404
        followed = ben.post("/v1/ask", json={**QUESTION, "conversation": answer["conversation"]})
        assert followed.status_code == 404
        assert ada.post("/v1/ask", json={**QUESTION, "conversation": answer["conversation"]}).status_code == 200


def test_a_browser_is_shown_where_to_log_in_and_then_the_page(guarded: str) -> None:
    with httpx.Client(base_url=guarded, timeout=60, headers={"accept": "text/html"}) as browser:
        sent = browser.get("/")
        assert (sent.status_code, sent.headers["location"]) == (303, "/login")
        assert 'name="password"' in browser.get("/login").text
        wrong = browser.post("/login", data={"name": "ada", "password": "wrong horse"})
        assert wrong.status_code == 401
        assert COOKIE not in browser.cookies
        right = browser.post("/login", data={"name": "ada", "password": "correct horse"})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        assert re.search(r"HttpOnly.*SameSite=strict", right.headers["set-cookie"])
        assert browser.get("/").status_code == 200
        assert browser.get("/v1/papers").status_code == 200
        browser.get("/logout")
        assert browser.get("/").status_code == 303


def test_the_login_page_names_no_other_machine_and_escapes_nothing_of_ours(guarded: str) -> None:
    page = httpx.get(f"{guarded}/login").text
    assert "http" not in page.replace("<!doctype html>", "")


def test_guessing_is_slowed_down(bundled: Library) -> None:
    limits = Limits(refused_logins_per_minute=3)
    with served(services(bundled), access=Access(TOKEN), limits=limits) as address:
        wrong = {"authorization": "Bearer wrong"}
        found = [httpx.get(f"{address}/v1/papers", headers=wrong) for _ in range(5)]
        assert [reply.status_code for reply in found] == [401, 401, 401, 429, 429]
        assert int(found[-1].headers["retry-after"]) >= 1
        right = {"authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"{address}/v1/papers", headers=right).status_code == 429
        assert httpx.post(f"{address}/login", data={"password": "x"}).status_code == 429
        assert httpx.get(f"{address}/health").status_code == 200


# --- how much ---------------------------------------------------------------------------------------------------------


def test_a_client_that_asks_too_much_waits_and_others_do_not() -> None:
    now = [0.0]
    rate = Rate(3, clock=lambda: now[0])
    assert [rate.take("a") for _ in range(3)] == [0, 0, 0]
    assert rate.take("a") == pytest.approx(20)
    assert rate.take("b") == 0
    now[0] += 20.5
    assert rate.take("a") == 0
    assert rate.take("a") > 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5)), max_size=60))
def test_never_more_than_the_share_and_what_came_back(steps: list[tuple[str, float]]) -> None:
    now = [0.0]
    rate = Rate(10, clock=lambda: now[0])
    let_through = dict.fromkeys("abc", 0)
    for client, pause in steps:
        now[0] += pause
        let_through[client] += rate.take(client) == 0
    assert all(count <= 10 + now[0] * 10 / 60 for count in let_through.values())


def test_places_are_given_back_whatever_happens() -> None:
    places = Places(2, 1)
    with places.one("a"):
        with pytest.raises(Refusal, match="wait for one") as refused, places.one("a"):
            pass
        assert (refused.value.status, refused.value.retry_after) == (429, 1)
        with places.one("b"), pytest.raises(Refusal, match="ask again soon"), places.one("c"):
            pass
    with pytest.raises(ZeroDivisionError), places.one("a"):
        raise ZeroDivisionError
    assert places.taken == 0


def test_too_many_requests_are_told_when_to_come_back(bundled: Library) -> None:
    with served(services(bundled), limits=Limits(requests_per_minute=2)) as address:
        replies = [httpx.get(f"{address}/v1/models") for _ in range(3)]
        assert [reply.status_code for reply in replies] == [200, 200, 429]
        assert replies[-1].json()["error"] == {
            "code": "too_many_requests",
            "message": "more than 2 requests a minute",
            "type": "rate_limit_error",
            "param": None,
        }
        assert int(replies[-1].headers["retry-after"]) in range(1, 31)
        assert httpx.get(f"{address}/health").status_code == 200


# --- what of ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(bundled: Library) -> TestClient:
    app = application(Services(bundled, ScriptedAssistant(), ("What is it?",)))
    return TestClient(app, base_url="http://127.0.0.1:7860")


def test_the_page_takes_the_kinds_of_files_that_papers_come_in(page: TestClient) -> None:
    good = page.post("/gradio_api/upload", files={"files": ("refs.bib", b"@misc{a, title={A}}")})
    assert good.status_code == 200
    for name in ("a.exe", "page.html", "a.svg", "a.bib.sh", "noname"):
        wrong = page.post("/gradio_api/upload", files={"files": (name, b"x")})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (415, "wrong_kind")
    several = [("files", ("a.bib", b"x")), ("files", ("b.html", b"<script>"))]
    assert page.post("/gradio_api/upload", files=several).status_code == 415
    assert page.post("/gradio_api/upload", files={"files": ("a.bib", bytes(51 << 20))}).status_code == 413


@given(st.integers(1, 40), st.sampled_from(["a.bib", "a.exe", "ä b.JSONL"]))
def test_a_files_kind_is_read_however_the_body_is_cut(size: int, name: str) -> None:
    body = (
        f'--xyz\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\nbody\r\n--xyz--\r\n'
    ).encode()
    kinds = Kinds("multipart/form-data; boundary=xyz", (".bib", ".jsonl"))
    found = [kinds.refusal(body[start : start + size]) for start in range(0, len(body), size)][-1]
    assert (found is None) == (not name.endswith(".exe"))
    if found is not None:
        assert found.status == 415


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    refusal = Kinds("multipart/form-data; boundary=xyz", (".bib",)).refusal(body)
    assert refusal is None or refusal.status in (400, 413, 415)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_cannot_make_a_browser_ask(page: TestClient, origin: str) -> None:
    for path in ("/v1/search", "/v1/papers", "/gradio_api/queue/join", "/login"):
        reply = page.post(path, json={"question": "x"}, headers={"origin": origin})
        assert reply.status_code == 403
    assert page.delete("/v1/papers/x", headers={"origin": origin}).status_code == 403
    own = page.post("/v1/search", json={"question": "x"}, headers={"origin": "http://127.0.0.1:7860"})
    assert own.status_code == 200


def test_no_reply_lets_another_site_read_it_and_each_has_the_headers(page: TestClient) -> None:
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    for method, path in [
        ("GET", "/"),
        ("OPTIONS", "/v1/ask"),
        ("OPTIONS", "/"),
        ("GET", "/v1/no"),
        ("GET", "/config"),
    ]:
        reply = page.request(method, path, headers=asked)
        assert not [name for name in reply.headers if name.startswith("access-control-")]
        assert {name: reply.headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert "img-src 'self' data:" in policy
    assert "http:" not in policy
    assert "*" not in policy


def test_a_server_on_all_addresses_answers_to_the_names_it_is_given(bundled: Library) -> None:
    app = application(services(bundled), host="0.0.0.0", access=Access(TOKEN), names=("ibid.example",))
    key = {"authorization": f"Bearer {TOKEN}"}
    assert TestClient(app, base_url="http://ibid.example").get("/v1/models", headers=key).status_code == 200
    assert TestClient(app, base_url="http://other.example").get("/v1/models", headers=key).status_code == 400
