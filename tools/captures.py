"""What the README shows of real runs over the bundled papers: its terminal capture and pictures of the chat page.

    python tools/captures.py            runs the commands of README.md's console block anew, and takes the pictures

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
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from assistant import Assistant, Library
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
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_WAIT_MS = 60_000


def main() -> None:
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
        listener = listen("127.0.0.1", 0)
        app = application(Services(library, Assistant(library), questions_for(library)))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.1)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
            _take(browser, address, folder / "chat.png", (1200, 860), "light")
            _take(browser, address, folder / "chat-dark-phone.png", (390, 844), "dark")
            browser.close()
        server.should_exit = True
        thread.join(timeout=10)


def _take(browser: Browser, address: str, picture: Path, size: tuple[int, int], scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(address)
    for number, question in enumerate(QUESTIONS, start=1):
        page.get_by_label("Your question").fill(question, timeout=_WAIT_MS)
        page.keyboard.press("Enter")
        finished = page.locator(".ibid-footer, .ibid-refusal")
        finished.nth(number - 1).wait_for(timeout=_WAIT_MS)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # the page scrolls smoothly to the newest answer
    page.screenshot(path=picture)
    context.close()


if __name__ == "__main__":
    main()
