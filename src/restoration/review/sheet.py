"""The page of `snakemake explore`: some frames, restored with every combination of some settings, side by side."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Frame
from restoration.review.comparison import side_by_side
from restoration.review.face_strips import close_up
from restoration.review.html import clock, write_html
from restoration.review.pictures import picture_data, shrunk

Values = Sequence[tuple[str, str]]
"""Settings by their column, in the grid's order; "" for a stage that is not left out."""
Box = tuple[float, float, float, float]
WIDEST, NARROWEST = 640, 160
"""Pixels of a picture's width on a sheet."""
SOURCE = "source"


def write_sheets(
    page: Path,
    sheet: Path,
    video: str,
    cells: Sequence[Values],
    times: Sequence[float],
    faces: Iterable[Sequence[Box]],
    sources: Iterable[Frame],
    results: Sequence[Iterable[Frame]],
) -> None:
    """Write an HTML *page*, and all its pictures in one as a PNG *sheet*.

    *times* are those of the frames, in seconds; *faces* the boxes (x0, y0, x1, y1) in each of the *sources*, whose
    faces are zoomed into; *results* hold the frames of each of the *cells*, RGB of whatever size.
    """
    table = arranged(cells)
    shown, strips = [], []
    for time, boxes, source, *restored in zip(times, faces, sources, *results, strict=True):
        width = min(WIDEST, max(NARROWEST, *(picture.shape[1] for picture in (source, *restored))))
        views = [("The whole frame", [_scaled(picture, width) for picture in (source, *restored)])]
        views += [
            (f"Face {number}", [close_up(picture, box, source) for picture in (source, *restored)])
            for number, box in enumerate(boxes, start=1)
        ]
        strips += [_strip(f"{clock(time)} {name}", pictures, table) for name, pictures in views]
        shown.append({"time": time, "views": [(name, [*map(picture_data, pictures)]) for name, pictures in views]})
    write_html(page, "explore.html", {"video": video, "table": table, "frames": shown})
    widest = max(strip.shape[1] for strip in strips)
    picture = np.vstack([np.pad(strip, ((0, 8), (0, widest - strip.shape[1]), (0, 0))) for strip in strips])
    with atomic(sheet) as temporary:
        if not cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise RestorationError(f"{sheet}: the picture cannot be written")


def arranged(cells: Sequence[Values]) -> dict[str, dict[str, int]]:
    """Where each of *cells* stands: its number by row and column. The first of several settings goes down."""
    table: dict[str, dict[str, int]] = {}
    for number, values in enumerate(cells):
        down, across = (values[:1], values[1:]) if len(values) > 1 else ((), values)
        table.setdefault(_said(down), {})[_said(across)] = number
    return table


def _said(values: Values) -> str:
    return ", ".join(f"{column} {value or 'on'}" for column, value in values)


def _scaled(picture: Frame, width: int) -> Frame:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    if picture.shape[1] > width:
        return shrunk(picture, width)
    return cast(Frame, cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC))


def _strip(title: str, pictures: Sequence[Frame], table: dict[str, dict[str, int]]) -> Frame:
    """All *pictures* of one view, the source's first, in rows as *table* says."""
    height, width = np.max([picture.shape[:2] for picture in pictures], axis=0).tolist()
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, width - p.shape[1]), (0, 0))) for p in pictures]
    rows = []
    for down, row in table.items():
        labels = [f"{title}: {SOURCE}", *(f"{down}, {across}".strip(", ") for across in row)]
        rows.append(side_by_side([padded[0], *(padded[number + 1] for number in row.values())], labels))
    return np.vstack(rows)
