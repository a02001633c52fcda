"""Splitting a picture into overlapping windows of one size, so that big frames fit into memory without seams."""

from collections.abc import Iterator
from dataclasses import dataclass

SMALLEST_TILE = 32


@dataclass(frozen=True)
class Span:
    """Half-open run of pixels along one axis: a window that the network sees and the core of it that is kept."""

    window_start: int
    window_stop: int
    core_start: int
    core_stop: int


def spans(size: int, tile: int, overlap: int, multiple: int = 1) -> list[Span]:
    """Cover *size* pixels by windows of one length whose cores partition the axis.

    Cores are at most *tile* long, rounded up to a multiple (0: no limit), and are shared out evenly; every core has
    *overlap* pixels of context on both sides, or reaches the picture's border. Windows begin on multiples of
    *multiple*, and end there, too, where *size* is one. One length for all windows means one shape for the engine to
    plan for.
    """
    count = -(-size // tile) if tile else 1
    if count == 1:
        return [Span(0, size, 0, size)]
    core = -(-size // (count * multiple)) * multiple
    margin = -(-overlap // multiple) * multiple
    window = min(size, core + 2 * margin + size % multiple)
    cores = [(start, min(start + core, size)) for start in range(0, size, core)]
    starts = [min(max(start - margin, 0), size - window) for start, _ in cores]
    return [Span(start, start + window, *core) for start, core in zip(starts, cores, strict=True)]


def windows(height: int, width: int, tile: int, overlap: int, multiple: int = 1) -> Iterator[tuple[Span, Span]]:
    """All (row span, column span) pairs that cover a picture, see `spans`."""
    columns = spans(width, tile, overlap, multiple)
    for row in spans(height, tile, overlap, multiple):
        for column in columns:
            yield row, column
