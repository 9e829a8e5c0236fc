"""The doctor's findings, and mending what can be mended while the library is in use."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from assistant.errors import IbidError, InputError
from assistant.storage.doctor import Check
from ui.rendering import escape

if TYPE_CHECKING:
    from assistant.library import Library

Cure = Literal["rebuild", "embed"]
_DOES: Final = {
    "rebuild": ("Make the indexes anew", "Making the indexes anew from the stored vectors"),
    "embed": ("Make the vectors anew", "Making the vectors anew, then the indexes"),
}


@dataclass(frozen=True, slots=True)
class Mending:
    """How a cure goes; `message` says what it does, or what stopped it."""

    state: Literal["running", "done", "failed"]
    message: str


class Doctor:
    """Cures one thing at a time, in a thread of its own."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._latest: Mending | None = None

    @property
    def latest(self) -> Mending | None:
        return self._latest

    def begin(self, cure: Cure) -> Mending:
        """Starts to mend. Raises InputError while something is being mended."""
        with self._lock:
            if self._latest is not None and self._latest.state == "running":
                raise InputError("the library is being mended already")
            self._latest = begun = Mending("running", _DOES[cure][1])
        threading.Thread(target=self._run, args=(cure,), name="ibid-mending", daemon=True).start()
        return begun

    def _run(self, cure: Cure) -> None:
        try:
            self._library.rebuild(embed=cure == "embed")
            self._latest = Mending("done", "Mended.")
        except IbidError as error:
            self._latest = Mending("failed", str(error))
        except Exception as error:  # nobody else would hear of it
            self._latest = Mending("failed", f"mending broke off: {type(error).__name__}: {error}")


def cure_of(check: Check) -> Cure | None:
    """What puts a finding right from here; None where only its owner can."""
    if check.ok or not check.mend.startswith("ibid rebuild"):
        return None
    return "embed" if check.mend.startswith("ibid rebuild --embed") else "rebuild"


def findings(checks: tuple[Check, ...], *, may: bool) -> str:
    """The findings as HTML, with a button for each cure."""
    items = "".join(_finding(check, may=may) for check in sorted(checks, key=lambda check: check.ok))
    bad = sum(not check.ok for check in checks)
    head = "All is well." if not bad else "One thing is wrong." if bad == 1 else f"{bad} things are wrong."
    return f'<p class="ibid-health">{head}</p><ul class="ibid-findings">{items}</ul>'


def _finding(check: Check, *, may: bool) -> str:
    cure = cure_of(check) if may else None
    way = ""
    if cure is not None:
        way = (
            f'<button type="button" class="ibid-button" data-act="mend" data-cure="{cure}">{_DOES[cure][0]}</button>'
        )
    elif not check.ok and check.mend:
        way = f'<p class="ibid-mend">Mend it with: <code>{escape(check.mend)}</code></p>'
    state = "good" if check.ok else "bad"
    word = "Right" if check.ok else "Wrong"
    return (
        f'<li class="ibid-{state}"><span class="ibid-state">{word}</span><div><strong>{escape(check.check)}</strong> '
        f"<span>{escape(check.message)}</span>{way}</div></li>"
    )
