"""What the README shows of real runs over the bundled papers: its terminal capture and pictures of the chat page.

    python tools/captures.py            runs the commands of README.md's console block anew, and takes the pictures
    python tools/captures.py --pictures the pictures only

The pictures need Chromium. tests/test_readme.py fails when the terminal capture is no longer what the commands print.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from assistant import Assistant, Library
from assistant.testing import ScriptedChatModel
from ingest import add
from ui.examples import questions_for
from ui.server import application, listen
from ui.services import Services

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
QUESTIONS = (
    "How many combinations of system message snippets were assessed?",
    "Which learning rate does Re3 use?",
)
# What a careless model might write: some of it true, some overstated, some made up. Shows what each verdict looks like.
DRAFT = (
    "They assess the performance of 60 combinations of system message snippets across three models [4]. "
    "Positive thinking improved every one of the models on GSM8K [6]. "
    "The models had between 7 and 90 billion parameters [4]. "
    "An automated prompt optimizer emerges as the most effective method for enhancing performance, even when working "
    "with smaller open-source models [9]. Prompting is an art."
)
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_WAIT_MS = 60_000


def main() -> None:
    if "--pictures" not in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as scratch:
            _capture(Path(scratch) / "library")
    _take_pictures(ROOT / "docs" / "images")


def _capture(library: Path) -> None:
    """Replaces what follows each `$ ` line of the README's console block by what the command prints in a pipe."""
    program = [sys.executable, "-c", "from assistant.cli import main; main()"]
    subprocess.run([*program, "add", "--library", library, CORPUS], check=True)
    readme = ROOT / "README.md"

    def shown(command: str) -> str:
        arguments = shlex.split(command)[1:]
        done = subprocess.run(
            [*program, *arguments, "--library", library], capture_output=True, text=True, check=False, cwd=ROOT
        )
        return f"$ {command}\n{done.stdout.strip()}\n"

    def renewed(block: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (.+)$", block.group(0), re.MULTILINE)
        return "```console\n" + "\n".join(map(shown, commands)) + "```"

    text = readme.read_text(encoding="utf-8")
    readme.write_text(re.sub(r"```console\n.*?```", renewed, text, flags=re.DOTALL), encoding="utf-8")


def _take_pictures(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, Library.open(Path(scratch) / "library") as library:
        add(library, str(CORPUS))
        model = ScriptedChatModel(replies=[DRAFT])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
            with _served(library, Assistant(library)) as address:
                for name, size, show, dark in PICTURES:
                    for conversation in library.list_conversations():
                        library.delete_conversation(conversation.id)
                    _take(browser, address, folder / f"{name}.png", size, show, dark=dark)
            with _served(library, Assistant(library, model=model)) as address:
                _take(browser, address, folder / "chat-verdicts.png", (1440, 900), _verdicts)
            browser.close()


@contextmanager
def _served(library: Library, assistant: Assistant) -> Iterator[str]:
    listener = listen("127.0.0.1", 0)
    app = application(Services(library, assistant, questions_for(library)))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.1)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def _take(
    browser: Browser,
    address: str,
    picture: Path,
    size: tuple[int, int],
    show: Callable[[Page], None],
    *,
    dark: bool = False,
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.goto(address)
    page.locator(".ibid-examples button").first.wait_for(timeout=_WAIT_MS)
    show(page)
    page.mouse.move(size[0] / 2, size[1] - 4)
    page.wait_for_timeout(1000)  # the page scrolls smoothly to the newest answer
    page.screenshot(path=picture)
    context.close()


def _ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question, timeout=_WAIT_MS)
    page.keyboard.press("Enter")
    page.wait_for_function(_DONE, timeout=_WAIT_MS)


_DONE = "/finished|refused|failed/.test([...document.querySelectorAll('.ibid-turn')].at(-1)?.dataset.state)"


def _source(page: Page) -> None:
    _ask(page, QUESTIONS[0])
    page.locator('.ibid-said[role="button"]').first.click()
    page.locator("mark.ibid-here").wait_for(timeout=_WAIT_MS)


def _verdicts(page: Page) -> None:
    _ask(page, QUESTIONS[0])
    page.locator('.ibid-said[role="button"]').nth(2).click()
    page.locator("mark.ibid-here").wait_for(timeout=_WAIT_MS)


def _refusal(page: Page) -> None:
    _ask(page, QUESTIONS[1])
    page.locator(".ibid-instead button").first.wait_for(timeout=_WAIT_MS)


def _scope(page: Page) -> None:
    page.get_by_role("button", name="Papers", exact=True).click()
    page.get_by_label("Find paper").fill("reward")
    for number in range(2):
        page.locator(".ibid-popover li").get_by_role("checkbox").nth(number).check(timeout=_WAIT_MS)
        page.get_by_text(f"{number + 1} of 59 papers").wait_for(timeout=_WAIT_MS)


def _conversations(page: Page) -> None:
    for question in ("What does cautious weight decay change?", *QUESTIONS):
        page.get_by_role("button", name="New conversation").click()
        _ask(page, question)
    page.locator(".ibid-threads li").nth(2).hover(timeout=_WAIT_MS)
    page.locator('.ibid-threads [data-do="menu"]').nth(2).click()


_DESKTOP, _PHONE = (1440, 900), (390, 844)
PICTURES: tuple[tuple[str, tuple[int, int], Callable[[Page], None], bool], ...] = (
    ("chat", _DESKTOP, _source, False),
    ("chat-dark", _DESKTOP, _source, True),
    ("chat-phone", _PHONE, _source, False),
    ("chat-dark-phone", _PHONE, _refusal, True),
    ("chat-refusal", _DESKTOP, _refusal, False),
    ("chat-scope", _DESKTOP, _scope, False),
    ("chat-conversations", _DESKTOP, _conversations, False),
)


if __name__ == "__main__":
    main()
