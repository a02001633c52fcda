"""Cutting a video into chunks: runs of whole shots, the unit of scheduling, caching and retry."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from restoration.files import atomic

T = TypeVar("T")

NEIGHBOURS = 17
"""Frames on either side that a stage may look at: chunks wait for those within this distance."""


@dataclass(frozen=True, order=True)
class Span:
    """A run of frames, first and last included. Its text form is a chunk's file name, so chunk jobs need no plan."""

    first: int
    last: int

    PATTERN = r"\d{7}-\d{7}"

    def __str__(self) -> str:
        return f"{self.first:07d}-{self.last:07d}"

    def __len__(self) -> int:
        return self.last - self.first + 1

    @classmethod
    def parse(cls, text: str) -> "Span":
        """The span that `str` wrote; ValueError otherwise."""
        if not re.fullmatch(cls.PATTERN, text):
            raise ValueError(f"{text!r} is not a span of frames such as 0000000-0000249")
        return cls(*map(int, text.split("-")))


def chunks(shots: Iterable[Sequence[int]], longest: int) -> list[Span]:
    """Chunks of at most *longest* frames that cover *shots* (first and last frame each, adjoining) in order.

    Whole shots are put together as long as they fit; a shot that is longer is split into nearly equal parts.
    """
    spans: list[Span] = []
    room = False  # whether the last span consists of whole shots
    for first, last in shots:
        length = last - first + 1
        parts = -(-length // longest)
        if room and last - spans[-1].first < longest:
            spans[-1] = Span(spans[-1].first, last)
            continue
        borders = [first + length * part // parts for part in range(parts + 1)]
        spans += [Span(begin, end - 1) for begin, end in pairwise(borders)]
        room = parts == 1
    return spans


def beside(first: Path, shots: Iterable[Sequence[int]], longest: int) -> list[Path]:
    """The files of all chunks, of which *first* is that of the first; cut as `chunks` does.

    A long video has more chunks than fit on a command line.
    """
    suffix = first.name.removeprefix(first.name.partition(".")[0])
    return [first.with_name(f"{span}{suffix}") for span in chunks(shots, longest)]


def write_plan(probes: Iterable[str], target: Path, longest: int) -> None:
    """Write the names of the chunks of every probed video as JSON: {video: [span, …]}, none for unreadable ones.

    A video is named by the folder that its probe lies in.
    """
    plan = {}
    for path in map(Path, probes):
        shots = json.loads(path.read_text()).get("shots", [])
        plan[path.parent.name] = [str(span) for span in chunks(shots, longest)]
    with atomic(target) as temporary:
        temporary.write_text(json.dumps(plan, indent=1, sort_keys=True))


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most *count* of *items*, evenly spread, the first and the last among them."""
    last = len(items) - 1
    places = {round(number * last / max(1, count - 1)) for number in range(count)}
    return [items[place] for place in sorted(places) if items]
