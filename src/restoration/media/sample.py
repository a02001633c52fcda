"""What `ingest.sample` means: all frames of a video, or single ones by time or by shot. Light to import."""

import re
from collections.abc import Iterable
from fractions import Fraction
from itertools import count, takewhile

ALL = "all"
SHOTS = re.compile(r"shots(?: (\d+))?")


def seconds(text: str) -> Fraction:
    """Seconds from `12.5` or `HH:MM:SS.mmm`."""
    total = Fraction(0)
    for part in text.split(":"):
        total = total * 60 + Fraction(part)
    return total


def most_shots(sample: str) -> float | None:
    """Of how many shots *sample* means the middle frame: `shots NUMBER`, or `shots` for all; None for anything else."""
    found = SHOTS.fullmatch(sample)
    return float(found[1] or "inf") if found else None


def times_of(sample: str, start: float | None, end: float | None) -> Iterable[Fraction] | None:
    """The times, in seconds after a video's first frame, that *sample* means, rising; None where it means none.

    `at TIME TIME …` gives a list; `every SECONDS` counts from *start* to *end*, for ever without one.
    """
    kind, *said = sample.split()
    if kind == "at":
        return sorted({seconds(time) for time in said})
    if kind == "every":
        step, first = Fraction(said[0]), Fraction(str(start or 0))
        times = (first + number * step for number in count())
        return times if end is None else takewhile(lambda time: time < Fraction(str(end)), times)
    return None
