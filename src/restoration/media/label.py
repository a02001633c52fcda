"""A label for people to read, drawn into the pictures just before they are encoded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from restoration.frames import P

LINES = 28
"""How many lines of the label's size a picture holds."""
SMALLEST, OUTLINE = 8, 10
"""Pixels of a letter below which nobody can read it, and how many times as large as its outline it is."""


def labelled(pictures: Iterable[P], text: str, frames: int | None = None) -> Iterator[P]:
    """The same with *text* in the lower left corner, the first so many *frames* of them or, for None, all."""
    for number, picture in zip(count(), pictures, strict=False):
        yield picture if frames is not None and number >= frames else _with_text(picture, text)


def faces_labelled(
    pictures: Iterable[P], text: str, boxes: Mapping[int, Sequence[Sequence[float]]], width: int
) -> Iterator[P]:
    """The same with *text* below each of the *boxes* (left, top, right, bottom) of a picture, by its number, in pixels
    of a picture of this *width*."""
    for number, picture in enumerate(pictures):
        scale = picture.shape[1] / width
        for left, _, right, bottom in boxes.get(number, ()):
            ink, cover = _drawn(text, *picture.shape[:2], whole=False)
            rows, columns = cover.shape[:2]
            place = round((left + right) / 2 * scale - columns / 2)
            top, at = round(bottom * scale), max(0, min(place, picture.shape[1] - columns))
            picture = _covered(picture, ink, cover, max(0, min(top, len(picture) - rows)), at)
        yield picture


def _with_text(picture: P, text: str) -> P:
    ink, cover = _drawn(text, *picture.shape[:2])
    return _covered(picture, ink, cover, len(picture) - len(cover), 0)


def _covered(picture: P, ink: NDArray[Any], cover: NDArray[Any], top: int, left: int) -> P:
    """*picture* with letters, as `_drawn` gives them, from this place on."""
    white, place = np.iinfo(picture.dtype).max, (slice(top, top + len(cover)), slice(left, left + cover.shape[1]))
    drawn = picture.copy()
    below = picture[*place, :3]
    drawn[*place, :3] = np.rint(below * (1 - cover) + white * ink * cover)
    if picture.shape[2] == 4:
        drawn[*place, 3] = np.maximum(picture[*place, 3], np.rint(white * cover[..., 0]))
    return drawn


@cache
def _drawn(text: str, height: int, width: int, *, whole: bool = True) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows of a picture of this *height* and *width*, the *whole* of them or as much as letters take, float (h, w, 1)
    in [0, 1]: how white, and how much of what lies beneath is covered.

    Letters are as large as the picture's height asks for and its width allows.
    """
    for size in range(max(height // LINES, SMALLEST), 0, -1):
        font, stroke = ImageFont.load_default(size), max(1, size // OUTLINE)
        box = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font, stroke_width=stroke)
        if box[2] - box[0] + size <= width:
            break
    rows, columns = min(height, int(box[3] - box[1]) + size), width if whole else int(box[2] - box[0]) + size
    layers = []
    for inside, outside in ((255, 0), (255, 255)):
        layer = Image.new("L", (min(columns, width), rows))
        place = (size / 2 - box[0], size / 2 - box[1])
        ImageDraw.Draw(layer).text(place, text, inside, font, stroke_width=stroke, stroke_fill=outside)
        layers.append(np.asarray(layer, np.float32)[..., None] / 255)
    return layers[0], layers[1]
