"""Measures over time, as lines of SVG."""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pandas as pd

WIDTH, HEIGHT, MARGIN = 1000, 100, 6
MOST_POINTS = 500
"""Of a line; of so many runs of frames the lowest and the highest value are drawn."""
BESIDE = ("frame", "time", "shot")
"""Columns that are no measures."""


def plots(table: Path) -> list[dict[str, str | float]]:
    """The plot of every measure in *table* (TSV: a row for each frame, `shot`, and a column for each measure).

    Each has its `name`, the `low`est and highest (`high`) value, and two paths in a box of 1000 by 100: the `curve`,
    which has gaps where nothing was measured, and the `cuts` between shots. Columns without numbers are left out.
    """
    rows = pd.read_csv(table, sep="\t")
    measures = rows.drop(columns=[name for name in BESIDE if name in rows]).select_dtypes("number")
    cuts = _cuts(rows["shot"]) if "shot" in rows else ""
    return [
        {
            "name": str(name),
            "low": float(values.min()),
            "high": float(values.max()),
            "curve": _curve(values),
            "cuts": cuts,
        }
        for name, values in measures.items()
        if values.notna().any()
    ]


def _curve(values: "pd.Series[float]") -> str:
    low, high, last = values.min(), values.max(), max(1, len(values) - 1)
    path, drawing = list[str](), False
    for frame, value in _thinned(values.to_list()):
        if math.isnan(value):
            drawing = False
            continue
        y = HEIGHT / 2 if high == low else HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        # A frame alone between gaps is seen as a dot.
        path.append(f"L{frame / last * WIDTH:.1f} {y:.1f}" if drawing else f"M{frame / last * WIDTH:.1f} {y:.1f}h.1")
        drawing = True
    return "".join(path)


def _thinned(values: list[float]) -> Iterator[tuple[int, float]]:
    """*values* by frame; of each run, where there are many, the lowest, the highest, and one that is none."""
    length = -(-len(values) // MOST_POINTS)
    for first in range(0, len(values), length):
        run = range(first, min(first + length, len(values)))
        known = [frame for frame in run if not math.isnan(values[frame])]
        ends = {min(known, key=values.__getitem__), max(known, key=values.__getitem__)} if known else set[int]()
        for frame in sorted(ends | {frame for frame in run if math.isnan(values[frame])} if length > 2 else run):
            yield frame, values[frame]


def _cuts(shots: "pd.Series[int]") -> str:
    last = max(1, len(shots) - 1)
    frames = [frame for frame, (one, two) in enumerate(pairwise(shots.to_list()), start=1) if one != two]
    return "".join(f"M{(frame - 0.5) / last * WIDTH:.1f} 0V{HEIGHT}" for frame in frames)
