"""Which software runs here: of a result one wants to know, years later, what made it."""

import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import av

from restoration import journal
from restoration.media.chunks import frames_digest
from restoration.pipeline.digest import PACKAGE
from restoration.version import VERSION

PACKAGES = (
    "snakemake",
    "torch",
    "torchvision",
    "openvino",
    "nncf",
    "av",
    "opencv-python-headless",
    "numpy",
    "pillow",
    "spandrel",
    "safetensors",
    "scenedetect-headless",
    "c2pa-python",
)
"""Those that have a say in the bytes of a result, as far as they are installed."""


def software() -> dict[str, str]:
    """Names and versions, and the commit of this project where its checkout knows one (`+` for local changes)."""
    return {
        "restoration": VERSION,
        **({"commit": commit} if (commit := _commit()) else {}),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "ffmpeg": av.ffmpeg_version_info,
        **{package: found for package in PACKAGES if (found := _version(package))},
    }


def how_made(chunks: Sequence[Path]) -> dict[str, Any]:
    """What a report on files that were made of restored *chunks*, by now read, tells of these: the digest of their
    frames, what networks ran on, and the software here."""
    return {"frames_sha256": frames_digest(chunks), "made_with": journal.told().splitlines(), "software": software()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    """Of a package that lies in somebody else's repository, that one's commit would tell nothing."""
    if not _git("ls-files", "--error-unmatch", "__init__.py"):
        return ""
    return _git("rev-parse", "HEAD") + "+" * bool(_git("status", "--porcelain", "--untracked-files=no", "."))


def _git(*arguments: str) -> str:
    try:
        run = subprocess.run(["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
