"""What became of every video: done, doubtful, or what went wrong and where it says so."""

import csv
import fcntl
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from restoration.files import atomic
from restoration.pipeline.cost import read_cost
from restoration.pipeline.job import ERROR, WARNING

KEY = re.compile(r"(?<=\.)[0-9a-f]{10}(?=\.|$)")
"""In a name, the hash of settings and code."""
SAID = re.compile(rf"(?:^|: ){ERROR}(.*)")
"""A line by which a job tells what went wrong, with or without its name before."""
WARNED = re.compile(rf"(?:^|: ){WARNING}(.*)")
"""A line by which a job tells what to look at."""
JUDGEMENT = "judge.log"
"""The log, among those of a video, of the job that tells it."""
MOST_NAMED = 20
ON_REQUEST = ("clip", "stages", "sheet")
"""Steps whose files are not due: what becomes of them says nothing about the video."""


@dataclass(frozen=True)
class Outcome:
    """*status* is done, doubtful (done, with warnings), failed, unfinished (no job says why) or not begun; *why* and
    *log* are of the last job, or of the one that warns."""

    video: str
    status: str
    why: str = ""
    log: str = ""


def outcomes(results: Mapping[str, Sequence[int | None]], logs: Path, current: Iterable[str]) -> Iterator[Outcome]:
    """What became of each video, by when the *results* that are due of it were made (in ns; None for one that was not).

    *logs* is the folder of all logs; those whose key is in none of the *current* names (within the work folder) tell of
    settings that are gone.
    """
    keys = {match[0] for match in map(KEY.search, current) if match}
    for video, due in results.items():
        since = min(time or 0 for time in due)
        written = [(log.stat().st_mtime_ns, log) for log in _logs(logs / video, keys)]
        newest = [log for age, log in sorted(written, reverse=True) if age > since]
        yield _outcome(video, newest, logs / video / JUDGEMENT, done=bool(since))


def _outcome(video: str, newest: list[Path], judgement: Path, *, done: bool) -> Outcome:
    for log in newest:
        if errors := [said[1] for said in map(SAID.search, _lines(log)) if said]:
            return Outcome(video, "failed", errors[-1], str(log))
    # A job that is at its end says what it took; who was killed does not.
    dead = [log for log in newest if read_cost(log) is None] if done else newest
    if dead:
        words = [line for line in _lines(dead[0]) if line] or ["none"]
        return Outcome(video, "unfinished", f"last words: {words[-1]}", str(dead[0]))
    if not done:
        return Outcome(video, "not begun")
    warnings = [said[1] for said in map(WARNED.search, _lines(judgement) if judgement.exists() else []) if said]
    if not warnings:
        return Outcome(video, "done")
    more = f"; and {len(warnings) - 1} more" if len(warnings) > 1 else ""
    return Outcome(video, "doubtful", warnings[0] + more, str(judgement))


def write_summary(outcomes: Iterable[Outcome], target: Path) -> str:
    """Write a table with a row for each video (TSV), and say in some lines how many are done and what the others lack.

    The others come first. Rows of videos that are none of these stay: people with other manifests may share the table.
    """
    rows = sorted(outcomes, key=lambda one: one.status == "done")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f".{target.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mine = {row.video for row in rows}
        others = [row for row in read_summary(target) if row["video"] not in mine]
        with atomic(target) as temporary, temporary.open("w", newline="") as handle:
            table = csv.DictWriter(handle, [field.name for field in fields(Outcome)], dialect="excel-tab")
            table.writeheader()
            table.writerows(sorted([*map(asdict, rows), *others], key=lambda row: row["status"] == "done"))
    counts = Counter(row.status for row in rows)
    amiss = [
        f"  {row.video}: {row.status}" + (f" ({row.log}): {row.why}" if row.log else "")
        for row in rows
        if row.status != "done"
    ]
    more = [f"  and {len(amiss) - MOST_NAMED} more"] if len(amiss) > MOST_NAMED else []
    total = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return "\n".join([f"Videos: {total}; see {target}", *amiss[:MOST_NAMED], *more])


def read_summary(target: Path) -> list[dict[str, str]]:
    """The rows of the table that `write_summary` wrote; none where there is no table."""
    if not target.exists():
        return []
    with target.open(newline="") as handle:
        return list(csv.DictReader(handle, dialect="excel-tab"))


def _logs(folder: Path, keys: set[str]) -> Iterator[Path]:
    for path in folder.glob("*"):
        if path.name.partition(".")[0] in ON_REQUEST:
            continue
        key = KEY.search(path.name)
        if key is None or key[0] in keys:
            yield from path.glob("*.log") if path.is_dir() else [path]


def _lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()
