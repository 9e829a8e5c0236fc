"""A Chroma server as the vector index: the same library as without one, whatever becomes of the server."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from assistant.cli import cli
from assistant.errors import IndexAway, LibraryError, SettingsError
from assistant.library import Library
from assistant.settings import Settings
from assistant.storage.chroma_server import ChromaServer
from assistant.storage.generations import Generations
from assistant.storage.vector_index import VectorIndex, drop
from tests.chroma_runner import ChromaRunner, free_port
from tests.stored_papers import EMBEDDER, many, own_word

pytestmark = pytest.mark.timeout(600)  # children import Chroma, on a machine that may be busy


def opened(folder: Path, server: ChromaRunner | ChromaServer | str | None) -> Library:
    if isinstance(server, ChromaServer):
        told = Settings(
            chroma_url=server.url,
            chroma_token=server.token,
            chroma_tenant=server.tenant,
            chroma_database=server.database,
        )
    else:
        told = Settings(chroma_url=server.url if isinstance(server, ChromaRunner) else server)
    return Library.open(folder, embedder=EMBEDDER, settings=told)


def complaints(library: Library) -> list[tuple[str, str]]:
    return [(check.check, check.message) for check in library.doctor() if not check.ok]


def collection(library: Library) -> str:
    """The name of what the library's current generation has on a server."""
    current = Generations(library.path).current()
    assert current is not None
    kept = current.collection()
    assert kept is not None
    return kept[0]


def holds_what_an_exact_scan_finds(library: Library, server: ChromaServer, numbers: range) -> bool:
    """Whether the server itself, asked directly, ranks as the library does."""
    index = VectorIndex.on(server, collection(library), "open")
    queries = [EMBEDDER.embed_query(f"{own_word(number)} Paper {number}") for number in numbers]
    found = [[id_ for id_, _ in hits[:3]] for hits in index.query(np.stack(queries), 5)]
    index.close()
    return found == [[id_ for id_, _ in library.dense(query, 3)] for query in queries]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ChromaRunner]:
    """A server that this test may stop."""
    runner = ChromaRunner(tmp_path / "server")
    yield runner
    runner.stop()


# the same from the command line

_BIBTEX = """
@article{snow2020, title={Snow that melts in spring}, author={Ada Lund}, year={2020}, doi={10.1000/snow},
  abstract={Snow covers of northern valleys melt in April. We measured 31 valleys over ten years.}}
@article{bees2021, title={Bees and their dances}, author={Bo Ek}, year={2021}, doi={10.1000/bees},
  abstract={Honey bees tell each other where flowers are. Their dances name direction and distance.}}
@article{rust2019, title={Rust on iron bridges}, author={Cy Dahl}, year={2019}, doi={10.1000/rust},
  abstract={Iron bridges rust where water stands. Paint of zinc delays rust by 12 years.}}
"""


def test_from_the_command_line_both_backends_do_the_same(tmp_path: Path, chroma: str) -> None:
    def ibid(*arguments: str) -> str:
        done = CliRunner().invoke(cli, [arguments[0], "--library", str(tmp_path / "library"), *arguments[1:]])
        assert done.exit_code == 0, done.output
        return done.stdout

    file = tmp_path / "refs.bib"
    file.write_text(_BIBTEX)
    ibid("add", str(file))
    assert "12 years" in ibid("ask", "By how many years does paint of zinc delay rust?")
    file.write_text(_BIBTEX.replace("12 years", "40 years"))
    ibid("add", str(file))
    assert "40 years" in ibid("ask", "By how many years does paint of zinc delay rust?")
    ibid("rm", "bees2021", "--yes") if "--yes" in ibid("rm", "--help") else ibid("rm", "bees2021")
    ibid("rebuild")
    found = json.loads(ibid("search", "--json", "how do honey bees dance"))
    assert "bees2021" not in json.dumps(found)
    exported = ibid("export", "--format", "bibtex")
    assert "snow2020" in exported
    assert "40 years" in exported
    assert "bees2021" not in exported
    assert json.loads(ibid("doctor", "--json"))
    current = Generations(tmp_path / "library").current()
    assert current is not None
    assert (current.dense / "chroma.sqlite3").exists() == (chroma == "embedded")


# a server that is away, and comes back


def test_a_server_that_is_away_is_told_in_one_line_and_catches_up(
    tmp_path: Path, own: ChromaRunner, caplog: pytest.LogCaptureFixture
) -> None:
    own.stop()
    with opened(tmp_path / "library", own) as library:
        with caplog.at_level(logging.WARNING, "ibid"):
            library.write(many(range(20)))
        (told,) = [record.getMessage() for record in caplog.records if record.name == "ibid"]
        assert "\n" not in told
        assert own.url in told
        assert library.lexical(own_word(7), 1)[0][0] == "title:7#0"
        assert library.dense(EMBEDDER.embed_query("Paper 7"), 1)
        assert library.search(own_word(7))[0].paper.id == "title:7"
        with pytest.raises(IndexAway) as caught:
            library.rebuild()
        assert "\n" not in str(caught.value)
        mends = {check.check: check.mend for check in library.doctor() if not check.ok}
        assert set(mends) == {"indexes", "vector index"}
        assert "start the Chroma server" in mends["vector index"]

        own.start()
        library.write(many(range(20, 25)))
        assert holds_what_an_exact_scan_finds(library, ChromaServer(own.url), range(25))
        assert len(own.collections()) == 1

        own.stop()
        library.remove(["title:3"])
        own.start()
        library.write(many([30]))
        assert complaints(library) == []
        assert Generations(library.path).leftovers() == []


def test_a_server_that_lost_everything_gets_it_again(tmp_path: Path, own: ChromaRunner) -> None:
    with opened(tmp_path / "library", own) as library:
        library.write(many(range(20)))
        own.stop()
        shutil.rmtree(own.folder)
        own.start()
        assert [check for check, _ in complaints(library)] == ["vector index"]
        library.write(many([20]))
        assert complaints(library) == []
        assert holds_what_an_exact_scan_finds(library, ChromaServer(own.url), range(21))


@pytest.mark.slow
def test_a_server_put_back_from_a_backup_is_noticed(tmp_path: Path, own: ChromaRunner) -> None:
    with opened(tmp_path / "library", own) as library:
        library.write(many(range(20)))
        own.stop()
        shutil.copytree(own.folder, tmp_path / "backup")
        own.start()
        library.write(many(range(20, 30)))
        own.stop()
        shutil.rmtree(own.folder)
        shutil.move(tmp_path / "backup", own.folder)
        own.start()
        assert [check for check, _ in complaints(library)] == ["vector index"]
        library.write(many([30]))
        assert complaints(library) == []


_WRITER = """
import sys
from assistant.library import Library
from tests.stored_papers import EMBEDDER, many
with Library.open(sys.argv[1], embedder=EMBEDDER) as library:
    for start in range(0, 900, 30):
        library.write(many(range(start, start + 30)))
        print(start, flush=True)
"""


@pytest.mark.parametrize(
    "killed",
    ["writer", pytest.param("server", marks=pytest.mark.slow)],  # the server's own files may be damaged then
)
def test_whoever_is_killed_the_next_write_puts_it_right(tmp_path: Path, own: ChromaRunner, killed: str) -> None:
    root = str(Path(__file__).parents[1])
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path / "library")],
        env={**os.environ, "PYTHONPATH": root, "IBID_CHROMA_URL": own.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    told = [writer.stdout.readline().strip() for _ in range(3 if killed == "writer" else 20)]
    if killed == "writer":
        writer.kill()
    else:
        own.kill()
    told += writer.communicate()[0].split()
    if killed == "server":
        assert writer.returncode == 0  # it went on without
        own.start()
    with opened(tmp_path / "library", own) as library:
        assert library.count() >= 30 * len(told)
        library.write(many([1000]))
        assert complaints(library) == []
        assert holds_what_an_exact_scan_finds(library, ChromaServer(own.url), range(10))
        assert own.collections() == [collection(library)]


# several libraries at one server


def test_libraries_at_one_server_leave_each_other_alone(tmp_path: Path, own: ChromaRunner) -> None:
    with opened(tmp_path / "one", own) as one, opened(tmp_path / "other", own) as other:
        one.write(many(range(10)))
        other.write(many(range(100, 120)))
        theirs = collection(other)
        for _ in range(2):
            one.rebuild()
        one.remove(["title:1"])
        assert own.collections() == sorted([collection(one), theirs])  # and nothing is left over
        assert complaints(one) == complaints(other) == []


def test_a_copied_library_gets_a_collection_of_its_own(tmp_path: Path, own: ChromaRunner) -> None:
    with opened(tmp_path / "library", own) as library:
        library.write(many(range(10)))
        shutil.copytree(tmp_path / "library", tmp_path / "copy")
        before = own.collections()
        with opened(tmp_path / "copy", own) as copy:
            assert any("copied from" in message for _, message in complaints(copy))
            assert copy.dense(EMBEDDER.embed_query("x"), 3) == library.dense(EMBEDDER.embed_query("x"), 3)
            copy.write(many(range(50, 60)))
            assert complaints(copy) == []
            assert set(own.collections()) == {*before, collection(copy)}
        assert complaints(library) == []
        library.write(many(range(80, 83)))
        assert complaints(library) == []


@pytest.mark.slow
def test_a_library_may_move_to_a_server_and_back(tmp_path: Path, chroma_runner: ChromaRunner) -> None:
    for number, server in enumerate((None, chroma_runner, None)):
        with opened(tmp_path, server) as library:
            library.write(many(range(10 * number, 10 * number + 10)))
            assert complaints(library) == []


# addresses and secrets


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://localhost", "http://localhost:8000"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("https://chroma.example.org", "https://chroma.example.org:443"),
        ("https://example.org:8443/chroma/", "https://example.org:8443/chroma"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_in_full(url: str, address: str) -> None:
    assert ChromaServer(url).address == address


def test_a_token_goes_into_the_header_that_is_read_and_nowhere_else() -> None:
    ours = ChromaServer("https://chroma.example.org", token="hush")
    assert ours.headers == {"Authorization": "Bearer hush"}
    assert ChromaServer("https://api.trychroma.com", token="hush").headers == {"X-Chroma-Token": "hush"}
    assert ChromaServer("http://localhost").headers == {}
    assert "hush" not in repr(ours) + ours.place + str(ours.away("is away"))


@pytest.mark.parametrize(
    "url", ["http://ada:pw@host:8000", "http://:8000", "http://host:port", "http://host/?a=b", "http://host:8000/#x"]
)
def test_an_address_that_is_none_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(SettingsError, match="chroma_url") as caught:
        Settings.load(chroma_url=url)
    assert "pw" not in str(caught.value)
    assert "\n" not in str(caught.value)


class _Answers(BaseHTTPRequestHandler):
    """Says `server.says`, or passes on what comes with the right token and path to `server.behind`."""

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body, kind = self.server.says  # type: ignore[attr-defined]  # ours
        if status == 0:
            behind, token, prefix = body
            if self.headers.get("Authorization") != f"Bearer {token}":
                status, body, kind = 401, b"who are you?", "text/plain"
            elif not self.path.startswith(prefix):
                status, body, kind = 404, b"nothing here", "text/plain"
            else:
                passed = httpx.request(
                    self.command,
                    behind + self.path.removeprefix(prefix),
                    content=content,
                    headers={"Content-Type": "application/json"},
                    trust_env=False,
                )
                status, body, kind = passed.status_code, passed.content, "application/json"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer


@contextmanager
def answering(status: int, body: object, kind: str = "text/plain") -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.says = (status, body, kind)  # type: ignore[attr-defined]  # read by `_Answers`
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_proxy_with_a_token_a_path_and_a_database(tmp_path: Path, own: ChromaRunner) -> None:
    databases = f"{own.url}/api/v2/tenants/default_tenant/databases"
    assert httpx.post(databases, json={"name": "papers"}, trust_env=False).status_code == 200
    with answering(0, (own.url, "hush", "/chroma")) as proxy:
        server = ChromaServer(f"{proxy}/chroma", token="hush", database="papers")
        with opened(tmp_path / "library", server) as library:
            library.write(many(range(10)))
            assert complaints(library) == []  # the child that checks has the token too
            library.rebuild()
            assert holds_what_an_exact_scan_finds(library, server, range(10))
            held = httpx.get(f"{databases}/papers/collections", trust_env=False).json()
            assert [found["name"] for found in held] == [collection(library)]
            assert own.collections() == []
        kept = [path for path in (tmp_path / "library").rglob("*") if path.is_file() and b"hush" in path.read_bytes()]
        assert kept == []
        for wrong, said in (
            (ChromaServer(f"{proxy}/chroma", token="shout"), "IBID_CHROMA_TOKEN"),
            (ChromaServer(proxy, token="hush"), "no Chroma server"),
            (ChromaServer(f"{proxy}/chroma", token="hush", database="none"), "none"),
        ):
            with pytest.raises(IndexAway, match=said) as caught:
                VectorIndex.on(wrong, "x", "create")
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"<html>nothing here</html>", "no Chroma server of version 1"),
        (404, b'{"detail":"Not Found"}', "no Chroma server of version 1"),  # Chroma 0.6 has no API 2
        (200, b"<html>a page\nof somebody</html>", "no Chroma server of version 1"),
        (200, b'["tenant"]', "no Chroma server of version 1"),
        (401, b"", "IBID_CHROMA_TOKEN"),
        (403, b"", "IBID_CHROMA_TOKEN"),
        (503, b"later", "503"),
        (302, b"", "no Chroma server of version 1"),
    ],
)
def test_what_is_no_chroma_server_is_told_in_one_line(status: int, body: bytes, said: str) -> None:
    with answering(status, body) as url, pytest.raises(IndexAway, match=said) as caught:
        VectorIndex.on(ChromaServer(url), "x", "open")
    assert "\n" not in str(caught.value)
    assert url in str(caught.value)


def test_a_server_that_says_nothing_or_speaks_no_tls_is_not_waited_for(chroma_runner: ChromaRunner) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(IndexAway, match="does not answer"):
            ChromaServer(f"http://127.0.0.1:{silent.getsockname()[1]}").reach()
    with pytest.raises(IndexAway, match="does not answer"):
        ChromaServer(f"https://127.0.0.1:{urlsplit(chroma_runner.url).port}").reach()
    with pytest.raises(IndexAway, match="does not answer"):
        ChromaServer(f"http://127.0.0.1:{free_port()}").reach()


def test_chromas_client_gives_up_in_time(chroma_runner: ChromaRunner) -> None:
    """Chroma's client keeps its session to itself; should it keep it elsewhere one day, this fails."""
    index = VectorIndex.on(ChromaServer(chroma_runner.url), "patience", "create")
    session = index._client._server._session  # the same place that `vector_index` reaches for
    assert isinstance(session, httpx.Client)
    assert session.timeout.read is not None
    assert session.timeout.read <= 60
    index.close()


def test_variables_meant_for_chroma_itself_change_nothing(
    chroma_runner: ChromaRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMA_SERVER_HOST", "elsewhere.example.org")
    monkeypatch.setenv("CHROMA_SERVER_HTTP_PORT", "1")
    VectorIndex.on(ChromaServer(chroma_runner.url), "variables", "create").close()


def test_a_collection_that_is_not_there_is_no_server_away(chroma_runner: ChromaRunner) -> None:
    drop(ChromaServer(chroma_runner.url), "nothing-of-this-name")
    with pytest.raises(LibraryError, match="ibid rebuild") as caught:
        VectorIndex.on(ChromaServer(chroma_runner.url), "nothing-of-this-name", "open")
    assert not isinstance(caught.value, IndexAway)
