"""The folder of model files: `<name>.gguf` beside `<name>.json`, which says what it is, and `chosen.json`.

A file appears under its name only when it is whole and its digest is right: it is written as `<name>.partial`, and renamed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.local_models import catalogue

LOCAL = "local"
_CHOSEN = "chosen.json"
_MAGIC = b"GGUF"
_BLOCK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")
_SPARE = 64 << 20  # bytes of the disk that are left alone


@dataclass(frozen=True, slots=True)
class Installed:
    """A model whose file is here. `own` says that it is none of the catalogue: its digest is only what it was when it came."""

    name: str
    path: Path
    bytes: int
    sha256: str
    licence: str | None
    own: bool


def default_folder() -> Path:
    """Where models are kept unless IBID_MODELS says otherwise: the platform's user-data folder, beside the library's."""
    import platformdirs

    return Path(platformdirs.user_data_dir("ibid-models"))


def checked_name(name: str) -> str:
    """`name`, when it can name a file. Raises InputError."""
    if not _NAME.match(name) or name in ("chosen", "quotes", LOCAL):
        raise InputError(f"a model cannot be named {name!r}; use letters, digits, dots, hyphens and underscores")
    return name


# --- what is here -----------------------------------------------------------------------------------------------------


def installed(folder: Path) -> tuple[Installed, ...]:
    """The models of `folder` by name."""
    found = (of(folder, path.stem) for path in sorted(folder.glob("*.gguf")))
    return tuple(model for model in found if model is not None)


def of(folder: Path, name: str) -> Installed | None:
    """The model `name` when it is here."""
    path, described = folder / f"{name}.gguf", _json(folder / f"{name}.json")
    if not path.is_file() or not isinstance(described.get("sha256"), str):
        return None
    licence, own = described.get("licence"), described.get("own") is True
    return Installed(name, path, path.stat().st_size, described["sha256"], licence, own)


def wanted(folder: Path, chat_model: str) -> Installed:
    """The model that `local` or `local:NAME` means: the named, else the chosen, else the only one, else the default.

    Raises InputError with the command that gets it.
    """
    name = chat_model.partition(":")[2] or (chosen(folder) or "").partition(":")[2]
    here = installed(folder)
    if not name:
        name = here[0].name if len(here) == 1 else catalogue.default().name
    found = of(folder, name)
    if found is None and catalogue.find(name) is None:
        have = ", ".join(model.name for model in here) or "none"
        raise InputError(f"no local model {name!r} in {str(folder)!r} (there: {have}); see: ibid model list")
    if found is None:
        raise InputError(f"local model {name!r} is not here yet; get it with: ibid model pull {name}")
    return found


def damage(model: Installed, *, hashed: bool) -> str | None:
    """What is wrong with the file, by its size, its first bytes and, with `hashed`, its digest."""
    entry = catalogue.find(model.name)
    if entry is not None and not model.own and model.bytes != entry.bytes:
        return f"{model.bytes} bytes where {entry.bytes} are due"
    if not is_gguf(model.path):
        return "not a GGUF file"
    if hashed and digest(model.path) != model.sha256:
        return "its sha256 is not what it was when it came"
    return None


def is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def digest(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- which one answers ------------------------------------------------------------------------------------------------


def chosen(folder: Path) -> str | None:
    """The value for `chat_model` that `ibid model use` wrote: `local:NAME`; None when there is none."""
    value = _json(folder / _CHOSEN).get("chat_model")
    return value if isinstance(value, str) and value.startswith(f"{LOCAL}:") else None


def choose(folder: Path, name: str | None) -> None:
    """Makes `local:NAME` what answers where no setting says otherwise; None goes back to quotes. Raises InputError."""
    if name is None:
        (folder / _CHOSEN).unlink(missing_ok=True)
        return
    model = wanted(folder, f"{LOCAL}:{name}")
    _write(folder / _CHOSEN, {"chat_model": f"{LOCAL}:{model.name}"})


def remove(folder: Path, name: str) -> int:
    """Deletes a model, and what an unfinished pull of it left; the bytes that were freed. Raises InputError."""
    paths = [
        folder / f"{checked_name(name)}{end}" for end in (".gguf", ".json", ".partial", ".partial.json", ".lock")
    ]
    there = [path for path in paths if path.exists()]
    if not there:
        have = ", ".join(model.name for model in installed(folder)) or "none"
        raise InputError(f"no model {name!r} in {str(folder)!r} (there: {have})")
    freed = sum(path.stat().st_size for path in there)
    if chosen(folder) == f"{LOCAL}:{name}":
        choose(folder, None)
    for path in there:
        path.unlink()
    return freed


# --- taking one in ----------------------------------------------------------------------------------------------------


def partial(folder: Path, name: str) -> Path:
    """Where a file grows until it is whole."""
    return folder / f"{name}.partial"


def begun(folder: Path, name: str) -> int:
    """Bytes of it that are there."""
    grown = partial(folder, name)
    return grown.stat().st_size if grown.exists() else 0


def progress(folder: Path, name: str) -> dict[str, Any]:
    """What an earlier, unfinished pull noted."""
    return _json(folder / f"{name}.partial.json")


def note(folder: Path, name: str, **noted: Any) -> None:
    """Notes how far a pull came, for the next one."""
    _write(folder / f"{name}.partial.json", noted)


def discard(folder: Path, name: str) -> None:
    """Forgets an unfinished pull."""
    partial(folder, name).unlink(missing_ok=True)
    (folder / f"{name}.partial.json").unlink(missing_ok=True)


def accept(folder: Path, name: str, *, sha256: str | None, licence: str | None, source: str) -> Installed:
    """Gives the partial file its name when its digest is `sha256`; without one it is the user's own and the digest is noted.

    Raises InputError for another digest, or what is no GGUF file, and discards it.
    """
    grown = partial(folder, name)
    found = digest(grown)
    if sha256 is not None and found != sha256:
        discard(folder, name)
        raise InputError(
            f"{name}: sha256 is {found[:16]}…, not {sha256[:16]}…; nothing of it was kept; try another source"
        )
    if not is_gguf(grown):
        discard(folder, name)
        raise InputError(f"{name}: what came is not a GGUF file; nothing of it was kept")
    with grown.open("rb") as file:
        os.fsync(file.fileno())
    model = Installed(name, folder / f"{name}.gguf", grown.stat().st_size, found, licence, sha256 is None)
    described = {key: value for key, value in asdict(model).items() if key not in ("name", "path")}
    _write(folder / f"{name}.json", {**described, "source": source})
    os.replace(grown, model.path)
    discard(folder, name)
    return model


@contextmanager
def room(folder: Path, needed: int) -> Iterator[None]:
    """Makes the folder and sees that `needed` bytes fit; a disk that fills up all the same is told in one line."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > 0 and free < needed + _SPARE:
        raise InputError(
            f"{str(folder)!r} has {size(free)} free and {size(needed)} are needed; make room or set IBID_MODELS"
        )
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            f"the disk of {str(folder)!r} is full; make room or set IBID_MODELS, and pull again"
        ) from error


def size(count: float) -> str:
    """Bytes as people write them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_text(json.dumps(value, indent=1), encoding="utf-8")
    os.replace(fresh, path)
