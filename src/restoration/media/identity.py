"""What tells one file from another, and whether a file is the one that was promised."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restoration.errors import RestorationError


def identify(path: Path, promised: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Size and SHA-256 of *path*.

    RestorationError, which calls the file *name*, if they are not the `bytes` and `sha256` that *promised* may hold.
    """
    found: dict[str, Any] = {"bytes": path.stat().st_size}
    _require(found, promised, name)
    found["sha256"] = sha256(path)
    _require(found, promised, name)
    return found


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def proved(path: Path, known: str) -> Path:
    """*path*; RestorationError if its SHA-256 is another than the one *known*."""
    if sha256(path) != known:
        raise RestorationError(f"{path}: the file changed while the run was in flight. Run the same command again.")
    return path


def _require(found: Mapping[str, Any], promised: Mapping[str, Any], name: str) -> None:
    for key, value in found.items():
        if promised.get(key, value) != value:
            raise RestorationError(
                f"{name}: {key} is {value}, the manifest says {promised[key]}; mend the one or the other"
            )
