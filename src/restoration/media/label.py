"""A label for people to read, drawn into the pictures just before they are encoded."""

from collections.abc import Iterable, Iterator
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


def _with_text(picture: P, text: str) -> P:
    height, width, channels = picture.shape
    ink, cover = _drawn(text, height, width)
    white = np.iinfo(picture.dtype).max
    below = picture[-len(cover) :, :, :3]
    drawn = picture.copy()
    drawn[-len(cover) :, :, :3] = np.rint(below * (1 - cover) + white * ink * cover)
    if channels == 4:
        drawn[-len(cover) :, :, 3] = np.maximum(picture[-len(cover) :, :, 3], np.rint(white * cover[..., 0]))
    return drawn


@cache
def _drawn(text: str, height: int, width: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The lowest rows of a picture, float (h, w, 1) in [0, 1]: how white, and how much of what lies beneath is covered.

    Letters are as large as the picture's height asks for and its width allows.
    """
    for size in range(max(height // LINES, SMALLEST), 0, -1):
        font, stroke = ImageFont.load_default(size), max(1, size // OUTLINE)
        box = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font, stroke_width=stroke)
        if box[2] - box[0] + size <= width:
            break
    rows = min(height, int(box[3] - box[1]) + size)
    layers = []
    for inside, outside in ((255, 0), (255, 255)):
        layer = Image.new("L", (width, rows))
        place = (size / 2 - box[0], size / 2 - box[1])
        ImageDraw.Draw(layer).text(place, text, inside, font, stroke_width=stroke, stroke_fill=outside)
        layers.append(np.asarray(layer, np.float32)[..., None] / 255)
    return layers[0], layers[1]
