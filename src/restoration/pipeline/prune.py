"""Finding and deleting intermediates that no current setting names."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path


def prune(work: Path, results: Path, current: set[str], *, delete: bool) -> None:
    """List what lies in the *work* folder without being *current* (names within it), with sizes; *delete* removes it.

    Chunks in current folders that the current plan cuts differently, and the remains of killed jobs, there and among
    the *results*, count, too.
    Nothing may be running meanwhile: an unfinished file of a job at work looks like such a remainder.
    """
    total = 0
    for path in sorted([*unused(work, current), *results.glob("*/.*.part*")]):
        size = sum(file.lstat().st_size for file in (path.rglob("*") if path.is_dir() else [path]))
        total += size
        print(f"{_readable(size):>10}  {path}")
        if delete:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if delete:
        print(f"{_readable(total):>10}  freed")
    else:
        print(f"{_readable(total):>10}  can be freed: snakemake prune --config delete=true")


def unused(work: Path, current: set[str]) -> Iterator[Path]:
    """The topmost files and folders in *work* that are not *current*."""
    plans = [work / name for name in current if name.startswith("plan.")]
    spans = {
        video: set(names) for plan in plans if plan.exists() for video, names in json.loads(plan.read_text()).items()
    }
    needed = {parent for name in current for parent in (work / name).parents}
    for path in sorted(work.glob("*")) + sorted(work.glob("*/*")):
        if path in needed or (path.parent != work and path.parent not in needed):
            continue
        if str(path.relative_to(work)) not in current:
            yield path
        elif path.is_dir() and path.parent.name in spans:
            yield from (file for file in path.iterdir() if file.name.partition(".")[0] not in spans[path.parent.name])


def _readable(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
