"""Restored faces back in their frames: softly, in the colours of what surrounds them, and with a record of where."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.faces.align import Matrix, warped, way_back
from restoration.frames import Frame
from restoration.models.face_restorers import FACE_EDGE

CENTRE, RADII = (256.0, 266.0), (176.0, 210.0)
"""Of the ellipse, in pixels of an aligned face, that a face fills, from brow to chin."""
FEATHER = 0.28
"""Share of the radii over which the soft mask falls from 1 to 0."""
Mask = NDArray[np.float32]
"""How much of each pixel of an aligned face is taken: (512, 512), in [0, 1], 0 at the border."""
Colour = NDArray[np.float64]
"""Mean Y, U and V."""


def soft_mask() -> Mask:
    """An ellipse around the features with a soft edge, for when no network tells where the face is."""
    rows, columns = np.mgrid[:FACE_EDGE, :FACE_EDGE].astype(np.float32)
    distance = np.hypot((columns - CENTRE[0]) / RADII[0], (rows - CENTRE[1]) / RADII[1])
    ramp = np.clip((1 + FEATHER / 2 - distance) / FEATHER, 0, 1)
    return (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def mean_colour(face: Frame, mask: Mask) -> Colour:
    """The colour of an aligned *face* within *mask*."""
    yuv = cv2.cvtColor(face, cv2.COLOR_RGB2YUV).reshape(-1, 3).astype(np.float64)
    return mask.ravel().astype(np.float64) @ yuv / mask.sum()


def recoloured(face: Frame, change: Colour) -> Frame:
    """*face* with *change* added to its Y, U and V. Its contrast is what it was restored for, and stays."""
    yuv = np.rint(cv2.cvtColor(face, cv2.COLOR_RGB2YUV) + change)
    return cast(Frame, cv2.cvtColor(np.clip(yuv, 0, 255).astype(np.uint8), cv2.COLOR_YUV2RGB))


def pasted(
    frame: Frame, face: Frame, matrix: Matrix, scale: float, mask: Mask, strength: float
) -> tuple[Frame, NDArray[np.float32]]:
    """*frame* with the aligned *face* in it, and how much of each pixel is from there: (height, width) in [0, 1].

    *matrix* has aligned the face from a frame that was *scale* times smaller. What lies outside the mask stays.
    """
    height, width = frame.shape[:2]
    back = way_back(matrix, scale)
    corners = np.array([[x, y, 1] for x in (0, FACE_EDGE) for y in (0, FACE_EDGE)]) @ back.T
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width, height))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 0, (width, height))
    weight = np.zeros((height, width), np.float32)
    if left >= right or top >= bottom:
        return frame, weight
    back[:, 2] -= left, top
    size = int(right - left), int(bottom - top)
    inside = np.s_[top:bottom, left:right]
    weight[inside] = warped(mask, back, size) * np.float32(strength)
    share = weight[inside][..., None]
    # Of a face that shrinks, pixels at the border would be mixed with what lies beyond it: no black there.
    moved = warped(face, back, size, None).astype(np.float32)
    result = frame.copy()
    result[inside] = np.rint(frame[inside] + share * (moved - frame[inside]))
    return result, weight
