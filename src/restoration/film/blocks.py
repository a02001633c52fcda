"""Edges of blocks and ringing that MPEG, and JPEG, leave: taken away by coding the picture again, at other places.

Nosratinia, Embedded post-processing for enhancement of compressed images (1999): in each of many shifts of the grid of
blocks what a coder would have lost is dropped; what all agree on is the picture. So no block needs to be where it was.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import BT601, Frame

Array = NDArray[np.float32]

BLOCK = 8
"""Edge of a block in pixels."""
SHIFTS = [(down, right) for down in range(0, BLOCK, 2) for right in range(down // 2 % 2, BLOCK, 2)]
"""Every fourth of all shifts, staggered: a quarter of the time for 0.03 dB less."""
COSINES = cast(Array, cv2.dct(np.eye(BLOCK, dtype=np.float32), flags=cv2.DCT_ROWS).T)
"""The discrete cosine transform of a column of a block, (frequency, sample)."""


def deblocked(frame: Frame, *, strength: float) -> Frame:
    """*frame* without edges of blocks and ringing in its luma; its colour stays.

    *strength* is the coefficient of a block (of 255, as in an orthonormal transform) up to which it is dropped: best at
    the quantizer scale with which MPEG-2 coded the picture, from 2 to 31. 0 changes nothing.
    """
    if not strength:
        return frame
    height, width = frame.shape[:2]
    luma = frame.astype(np.float32) @ BT601
    below, beyond = (BLOCK + -length % BLOCK for length in (height, width))
    padded = cast(Array, cv2.copyMakeBorder(luma, BLOCK, below, BLOCK, beyond, cv2.BORDER_REFLECT))
    total = np.zeros_like(padded)
    inner = tuple(length - BLOCK for length in padded.shape)
    for down, right in SHIFTS:
        place = slice(down, down + inner[0]), slice(right, right + inner[1])
        total[place] += _coarse(padded[place], strength)
    change = total[BLOCK : BLOCK + height, BLOCK : BLOCK + width] / len(SHIFTS) - luma
    return cast(Frame, np.rint(frame + change[..., None]).clip(0, 255).astype(np.uint8))


def _coarse(luma: Array, threshold: float) -> Array:
    """*luma* without the coefficients of its blocks up to *threshold*; their means stay."""
    blocks = luma.reshape(luma.shape[0] // BLOCK, BLOCK, -1, BLOCK)
    coefficients = np.einsum("ki,aibj,lj->akbl", COSINES, blocks, COSINES, optimize=True)
    kept = np.abs(coefficients) > threshold
    kept[:, 0, :, 0] = True
    return np.einsum("ki,akbl,lj->aibj", COSINES, coefficients * kept, COSINES, optimize=True).reshape(luma.shape)
