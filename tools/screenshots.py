"""Takes the README's picture of the chat page: a real question over the bundled papers, in Chromium.

python tools/screenshots.py [FOLDER]     writes chat.png and chat-dark-phone.png; default folder docs/images
"""

from __future__ import annotations

import shutil
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

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = (
    "How many combinations of system message snippets were assessed?",
    "On which hardware was Cautious Weight Decay trained?",
)
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_WAIT_MS = 60_000


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, Library.open(Path(scratch) / "library") as library:
        add(library, str(ROOT / "ingest" / "corpus" / "huggingface-papers.txt"))
        listener = listen("127.0.0.1", 0)
        app = application(Assistant(library), papers=library.count(), examples=questions_for(library))
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
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
