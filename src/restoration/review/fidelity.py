"""How one picture differs from the source's: numbers about a pair of pictures, without a network."""

import math
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame
from restoration.media import looks

Luma = NDArray[np.uint8]
"""One plane: uint8 (height, width)."""

BEST_PSNR = 100.0
"""dB that stand for equal pictures, whose PSNR is infinite; lossy coding reaches about 50."""
WINDOW = 11
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
FLAT = 1.0
"""Added to both sides of ratios of gradients (of 255), so that pictures that show nothing are alike."""
FIELDS = 32
"""Along each edge, by whose mean colours a matrix is judged: noise and detail are averaged away."""
TELLING = 1.0
"""Root mean square (of 255) by which a mistaken matrix must change the colours to be told at all."""
SMALLEST = 8
"""Pixels along an edge below which a region shows nothing."""


def luma_of(frame: Frame) -> Luma:
    """Y of a frame, full range (OpenCV, which weighs as BT.601 does)."""
    return cast(Luma, cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))


def psnr(one: Luma, other: Luma) -> float:
    """Peak signal-to-noise ratio in dB, at most BEST_PSNR."""
    return min(BEST_PSNR, looks.psnr(one, other))


def ssim(one: Luma, other: Luma) -> float:
    """Mean structural similarity, -1 to 1 (Wang et al. 2004: a Gaussian window of sigma 1.5, WINDOW pixels wide, where
    it lies within the picture)."""
    x, y = one.astype(np.float32), other.astype(np.float32)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return cast(NDArray[np.float32], cv2.GaussianBlur(values, (WINDOW, WINDOW), 1.5, borderType=cv2.BORDER_REFLECT))

    mean_x, mean_y = mean(x), mean(y)
    products = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    covariance, variances = mean(x * y) - products, mean(x * x + y * y) - squares
    similar = (2 * products + C1) * (2 * covariance + C2) / ((squares + C1) * (variances + C2))
    edge = WINDOW // 2 if min(one.shape) > WINDOW else 0
    return float(similar[edge : len(similar) - edge, edge : similar.shape[1] - edge].mean())


def colourfulness(frame: Frame) -> float:
    """How colourful a picture looks: 0 gray, about 15 slightly, 33 moderately, 60 quite, 109 extremely (Hasler and
    Süsstrunk 2003, "Measuring colourfulness in natural images", M3)."""
    red, green, blue = np.moveaxis(frame.astype(np.float32), -1, 0)
    opponents = red - green, (red + green) / 2 - blue
    spread = math.hypot(*(float(values.std()) for values in opponents))
    return spread + 0.3 * math.hypot(*(float(values.mean()) for values in opponents))


def chroma_error(one: Frame, other: Frame) -> float:
    """Mean absolute difference of U and V, of 255."""
    planes = (cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)[..., 1:] for frame in (one, other))
    return float(cv2.absdiff(*planes).mean())


def sharpness(result: Luma, source: Luma) -> float:
    """Energy of *result*'s gradients (Sobel) over that of *source*, which was enlarged to its size."""
    return (_energy(result) + FLAT) / (_energy(source) + FLAT)


def _energy(luma: Luma) -> float:
    return sum(
        cv2.norm(cv2.Sobel(luma, cv2.CV_16S, *axis, scale=1), cv2.NORM_L2SQR) / luma.size / 64
        for axis in ((1, 0), (0, 1))
    )


def blockiness(result: Luma, source: Luma) -> float:
    """How much steeper *result* is across the borders of 8x8 blocks than elsewhere, over the same of *source*, which
    was enlarged to its size."""
    return _steepness(result) / _steepness(source)


def _steepness(luma: Luma) -> float:
    ratios = []
    for plane in (luma, luma.T):
        steps = cv2.absdiff(np.ascontiguousarray(plane[:, 1:]), np.ascontiguousarray(plane[:, :-1])).mean(axis=0)
        on_border = np.arange(len(steps)) % 8 == 7
        if on_border.any():
            ratios.append((steps[on_border].mean() + FLAT) / (steps[~on_border].mean() + FLAT))
    return float(np.mean(ratios)) if ratios else 1.0


def likeness(result: Luma, source: Luma) -> float | None:
    """Correlation of two regions of one size, -1 to 1; brightness and contrast do not matter. None where the source
    shows nothing, or there is next to nothing to see; 0 where only the result shows nothing."""
    if min(source.shape) < SMALLEST or source.std() < FLAT:
        return None
    if result.std() < FLAT:
        return 0.0
    return float(np.corrcoef(result.ravel(), source.ravel())[0, 1])


def _conversion(red: float, blue: float) -> NDArray[np.float64]:
    """From full-range RGB to Y'PbPr, by the weights of red and blue (ITU-T H.273)."""
    luma = np.array([red, 1 - red - blue, blue])
    return np.stack([luma, (np.eye(3)[2] - luma) / (2 - 2 * blue), (np.eye(3)[0] - luma) / (2 - 2 * red)])


BT601, BT709 = _conversion(0.299, 0.114), _conversion(0.2126, 0.0722)
MISTAKEN = np.linalg.inv(BT709) @ BT601 - np.eye(3)
"""What it adds to RGB if BT.601 samples are shown as BT.709; the other way round about the same is subtracted."""


def matrix_mistake(result: Frame, source: Frame) -> float | None:
    """How much of a mistaken matrix is in *result*: 0 none, 1 what mistaking BT.601 for BT.709 does, or the reverse.

    Least squares over the mean colours of both pictures, of one size: their difference is explained by a mistaken
    matrix, by a change of saturation, in darks and lights, and by one of each channel's contrast; the share of the
    first counts, as far as it alone explains the difference. None where the source has too little colour to tell.
    """
    size = FIELDS, FIELDS
    before, after = (
        cv2.resize(frame, size, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
        for frame in (source, result)
    )
    mistake, difference = (before @ MISTAKEN.T).ravel(), (after - before).ravel()
    if math.sqrt((mistake**2).mean()) < TELLING:
        return None
    if not difference.any():
        return 0.0
    gray = (before @ BT709[0] / 255)[:, None]
    colour = before - 255 * gray
    tones = [tone * channel for tone in (gray**0, gray) for channel in np.eye(3)]
    causes = [mistake, *(cause.ravel() for cause in (colour, colour * gray, *tones))]
    share = np.linalg.lstsq(np.stack(causes, axis=1), difference, rcond=None)[0][0]
    alone = (mistake @ difference) ** 2 / ((mistake @ mistake) * (difference @ difference))
    return float(abs(share) * alone)
