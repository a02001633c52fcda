"""Scratches taken away: what lies beneath is kept where they are translucent, and interpolated where they are not."""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.film.scratches import KNOTS, USUAL, Array, Line, between, sampled
from restoration.frames import Frame

MARGIN = 1.0
"""Pixels at `USUAL` on either side of a scratch, to where its soft edges reach."""
SIDE = 2
"""Pixels at `USUAL` beyond that, on either side, that are compared with the scratch."""
ALONG = 30 / 480
"""Of the height: standard deviation of the average of how much lighter or darker a scratch is."""
STRONGEST = 1.3
"""Of its contrast, as seen over the shot: more than this belongs to the scene."""
STRONGER = 0.5
"""Of its contrast: by how much a scratch may be stronger in a place; more belongs to the scene. It may also be gone."""
FLAT = 100.0
"""Variance (of 255) below which a scratch is taken for translucent: there is nothing to be seen through it."""
LOST = 3
"""Steps from black or white within which samples were cut off."""


def filled(frame: Frame, lines: Sequence[Line]) -> tuple[Frame, NDArray[np.uint8]]:
    """*frame* without the scratches *lines*, and where it was changed: uint8 (h, w), 255 or 0.

    How much lighter or darker a scratch is than what lies between its sides is averaged along its height and taken
    off, so that the texture beneath stays. Where that was cut off at black or white, and where a scratch is opaque, it
    is interpolated between both sides.
    """
    result = frame
    for line in lines:
        result = _filled(result, line)
    return result, (result != frame).any(axis=-1).astype(np.uint8) * 255


def _filled(frame: Frame, line: Line) -> Frame:
    height, width = frame.shape[:2]
    scale = max(1, width / USUAL)
    half = line.width / 2 + MARGIN * scale
    side = round(SIDE * scale)
    reach = int(np.ceil(half)) + side
    columns = slice(max(0, int(min(line.places)) - reach - 2), int(max(line.places)) + reach + 4)
    piece = frame[:, columns].astype(np.float32)
    middle = np.interp(np.arange(height), np.linspace(0, height - 1, KNOTS), line.places) - columns.start

    # The scratch made straight: its middle is in the middle column.
    across = np.arange(-reach, reach + 1)
    strip = sampled(piece, middle[:, None] + across)
    base = between(strip, side)
    offset = _offset(strip, base, line)
    taper = (half + 0.5 - np.abs(across)).clip(0, 1).astype(np.float32)[:, None]
    variance = strip.var(axis=0).mean(axis=-1)
    clarity = (variance[reach] + FLAT) / ((variance[:side].mean() + variance[-side:].mean()) / 2 + FLAT)
    opacity = float(np.clip(1.5 - 3 * clarity, 0, 1))

    back = np.arange(piece.shape[1]) - middle[:, None] + reach
    offset, base, opaque = (sampled(one, back) for one in (offset * taper, base, np.full_like(offset, opacity) * taper))
    restored = piece - offset
    cut_off = _cut_off(piece, line) & (np.abs(offset) > 1)
    inside = base.clip(np.minimum(piece, restored), np.maximum(piece, restored))
    restored = np.where(cut_off, inside, restored)
    restored += opaque * (base - restored)
    result = frame.copy()
    result[:, columns] = np.rint(restored).clip(0, 255)
    return result


def _offset(strip: Array, base: Array, line: Line) -> Array:
    """By how much *strip* (h, n, 3) with a scratch is lighter than its *base* on average along the height."""
    sign, contrast = np.sign(line.contrast), abs(line.contrast)
    difference = strip - base
    usual = np.median(difference, axis=0, keepdims=True)
    sure = 1 - _cut_off(strip, line).astype(np.float32)
    deviation = sign * (sign * (difference - usual)).clip(-contrast, STRONGER * contrast)
    sigma = ALONG * len(strip)
    local, weight = (
        cv2.GaussianBlur(one, (1, 2 * round(3 * sigma) + 1), sigmaX=1, sigmaY=sigma, borderType=cv2.BORDER_REFLECT)
        for one in (deviation * sure, sure)
    )
    offset = usual + local / (weight + 0.05)
    return cast(Array, sign * (sign * offset).clip(0, STRONGEST * contrast))


def _cut_off(samples: Array, line: Line) -> NDArray[np.bool_]:
    """Where *samples* are too light, or too dark, to tell what is beneath."""
    return samples > 255 - LOST if line.contrast > 0 else samples < LOST
