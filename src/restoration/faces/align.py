"""Faces brought to a common place, and back: 512x512 crops with eyes, nose and mouth where FFHQ has them.

After github.com/xinntao/facexlib (MIT), `utils/face_restoration_helper.py`, with three differences, by which faces do
not crawl when they move: all landmarks count (there the least median of squares leaves some out, other ones in each
frame), what shrinks is averaged instead of sampled, and crops return to where they were taken from, whereas there they
end up half a pixel of the result too low and too far right.
"""

from collections.abc import Iterable
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame
from restoration.models.face_restorers import FACE_EDGE

TEMPLATE = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ],
    np.float32,
)
"""Eyes, nose, corners of the mouth in an aligned face."""
OUTSIDE = (132, 133, 135)
"""RGB of what lies beyond the picture's border."""
EDGE_STEP, SMALLEST_EDGE = 4, 16
"""Sizes of faces are rounded to this, and not smaller than that."""
SHRINKING = 0.9
"""Scale below which pixels are averaged before they are sampled."""

Matrix = NDArray[np.float64]
"""An affine map (2, 3): a similarity."""
Picture = TypeVar("Picture", NDArray[np.uint8], NDArray[np.float32])


def alignment(landmarks: NDArray[np.float32]) -> Matrix:
    """The similarity that brings *landmarks* (5, 2) nearest to TEMPLATE, in the sense of least squares.

    All five count, always by the same weight: where landmarks move smoothly, so does the face. Landmarks in one point
    are not turned or scaled.
    """
    there, template = (points.astype(np.float64) @ [1, 1j] for points in (landmarks, TEMPLATE))
    offsets = there - there.mean()
    size = np.vdot(offsets, offsets).real
    turn = np.vdot(offsets, template - template.mean()) / size if size > 1e-9 else 1.0
    shift = template.mean() - turn * there.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def scale_of(matrix: Matrix) -> float:
    """How many times larger *matrix* makes things."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def source_edge(matrices: Iterable[Matrix]) -> int:
    """Pixels, along an edge, that aligned faces had in their source: the median, so that a track has but one size."""
    edges = [FACE_EDGE / scale_of(matrix) for matrix in matrices]
    return int(np.clip(round(float(np.median(edges)) / EDGE_STEP) * EDGE_STEP, SMALLEST_EDGE, FACE_EDGE))


def aligned(frame: Frame, matrix: Matrix) -> Frame:
    """The face that *matrix*, of `alignment`, finds in *frame*, FACE_EDGE pixels wide and high."""
    return warped(frame, matrix, (FACE_EDGE, FACE_EDGE), OUTSIDE)


def way_back(matrix: Matrix, scale: float) -> Matrix:
    """From an aligned face to the frame that it was taken from by *matrix*, enlarged *scale* times."""
    back = cast(Matrix, cv2.invertAffineTransform(matrix)) * scale
    # The centre of the first pixel is at 0.5 of its frame, and at 0.5 of the enlarged one.
    back[:, 2] += (scale - 1) / 2
    return back


def warped(
    picture: Picture, matrix: Matrix, size: tuple[int, int], outside: tuple[int, ...] | None = (0, 0, 0)
) -> Picture:
    """*picture* moved by *matrix* into one of *size* (width, height), interpolated linearly.

    Beyond its border everything is *outside*, or, if that is None, as it is at the border.
    """
    factor = scale_of(matrix)
    if factor < SHRINKING:
        height, width = picture.shape[:2]
        small = max(1, round(width * factor)), max(1, round(height * factor))
        picture = cast(Picture, cv2.resize(picture, small, interpolation=cv2.INTER_AREA))
        enlarge = np.diag([width / small[0], height / small[1], 1.0])
        enlarge[:2, 2] = (enlarge.diagonal()[:2] - 1) / 2
        matrix = matrix @ enlarge
    if outside is None:
        return cast(Picture, cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE))
    return cast(Picture, cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=outside))
