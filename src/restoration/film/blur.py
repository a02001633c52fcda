"""Blur and halo of kinescopes undone: what `restoration.film.defects.kinescope` does, by Wiener's inverse filter."""

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import BT601, Frame

Array = NDArray[np.float32]

DOUBT = 0.75, 1.0, 1.25
"""Times the blur that is told, all of which it may be: the inverse is best for them on average. So what is told
wrongly by a third does no harm, where the inverse of the one would ring."""
HALO = 4
"""How many times wider than the blur the surroundings are from which a halo was made."""
BORDER = 12
"""Times the blur: three deviations of these surroundings, by which the picture is mirrored at its edges."""
ROUGH = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Sees noise and hardly anything else (Immerkær, Fast noise variance estimation, 1996)."""
NOISE, UNSEEN = 13.0, 0.7
"""How much noise there is, times a power of what is seen so: grain is coarser than a pixel, and codecs take away its
finest part first, so that the less is seen, the larger is the part unseen. Fitted to clean pictures, grain, and both
in MPEG-2."""
LEAST_NOISE = 3.0
"""Of 255: where nothing is seen, rounding is left."""
SCENE = 0.025, 0.1
"""Cycles in the width of the blur, between which a picture is the scene's, little blurred and above all noise."""


def sharpened(frame: Frame, *, blur: float, halo: float) -> Frame:
    """*frame* as it was before a Gaussian of *blur* pixels, and *halo* times the difference to one `HALO` times as wide
    was added. Its colour stays; without blur there is nothing to undo.

    Wiener's filter for scenes whose power falls with the square of the frequency (Field, 1987), as much as the picture
    has at low ones, against white noise, as much as it has.
    """
    if not blur:
        return frame
    height, width = frame.shape[:2]
    luma = frame.astype(np.float32) @ BT601
    border = int(np.ceil(BORDER * blur))
    rows, columns = (cv2.getOptimalDFTSize(length + 2 * border) for length in (height, width))
    sides = border, rows - height - border, border, columns - width - border
    spectrum = cv2.dft(cv2.copyMakeBorder(luma, *sides, cv2.BORDER_REFLECT), flags=cv2.DFT_COMPLEX_OUTPUT)
    squares, transfer, power = _optics(rows, columns, blur, halo)

    low, high = (np.square(limit / blur) for limit in SCENE)
    scene = (squares > low) & (squares < high)
    strength = (np.square(spectrum[scene]).sum(axis=-1) * squares[scene] / power[scene]).mean() / (rows * columns)
    seen = np.median(np.abs(cv2.filter2D(luma, -1, ROUGH))) / (0.6745 * np.sqrt(np.square(ROUGH).sum()))
    noise = max(NOISE * float(seen) ** UNSEEN, LEAST_NOISE)
    inverse = transfer / (power + noise**2 * squares / (strength + 1e-6))

    restored = cv2.dft(spectrum * inverse[..., None], flags=cv2.DFT_INVERSE | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
    change = restored[border : border + height, border : border + width] - luma
    return cast(Frame, np.rint(frame + change[..., None]).clip(0, 255).astype(np.uint8))


@lru_cache(maxsize=2)
def _optics(rows: int, columns: int, blur: float, halo: float) -> tuple[Array, Array, Array]:
    """At each frequency of a spectrum (rows, columns) its square, in cycles a pixel, and what is left of a scene there:
    in the mean, and in the mean square."""
    squares = np.square(np.fft.fftfreq(rows))[:, None] + np.square(np.fft.fftfreq(columns))

    def gaussian(deviation: float) -> NDArray[np.float64]:
        return np.exp(-2 * np.square(np.pi * deviation) * squares)

    left = [gaussian(one) * (1 + halo * (1 - gaussian(HALO * one))) for one in np.multiply(DOUBT, blur)]
    found = squares, np.mean(left, axis=0), np.mean(np.square(left), axis=0)
    return cast(tuple[Array, Array, Array], tuple(one.astype(np.float32) for one in found))
