"""Dust and dirt, which is in one frame only, found and replaced by what the frames before and after show.

A pixel that is darker, or lighter, than all that both motion-compensated neighbours show around its place is a spike
(the rank-ordered differences of Nadenau and Mitra 1997, with a pixel's tolerance all around; spike detection: Kokaram
1998). Motion that the flow did not meet makes spikes, too. So a blotch must be what a speck is: flat, sharp, and set in
surroundings that the neighbours explain and agree on.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.film.neighbours import Mask, compensated, deviation, distinct, filled, flow, shown
from restoration.frames import Frame, luma

Box = tuple[slice, slice]

LEAST = 40.0, 10.0
"""Steps of 255 by which a spike stands out at least, for sensitivity 0 and 1."""
NOISES = 4.0
"""Standard deviations of the noise by which it does."""
DOUBT = 0.6, 1.4
"""What is allowed below of what dust does not have is multiplied by this, for sensitivity 0 and 1."""
RIM = 0.5
"""Share of the least by which a spike stands out that a blotch does out to its rim."""
SMALLEST = 4
"""Pixels of a blotch; what is smaller is noise."""
LARGEST = 0.02
"""Share of the picture that one blotch may cover."""
MOST = 0.05
"""Share of the picture above which what was found is not dust, and nothing is done: a flash, a cut that was missed."""
SPIKED = 0.35
"""Share of a blotch that stands out, at least: what moves has an edge that does, and a large soft rest."""
UNEXPLAINED = 0.3
"""Difference to the neighbours that the surroundings of a blotch may have, as a share of its own."""
DISPUTED = 0.2
"""Difference between the neighbours there, as such a share."""
TEXTURED = 0.35
"""Standard deviation of the luma of a blotch, as such a share."""
SHARP = 0.45
"""Change of luma across its edge, at least, as such a share: what is blurred moves."""
EDGE = 640
"""Width of a picture, in pixels, for each on either side that an edge of dust takes."""


def dusted(frame: Frame, before: Sequence[Frame], after: Sequence[Frame], *, sensitivity: float) -> tuple[Frame, Mask]:
    """*frame* without its dust, and how much of each pixel was replaced: uint8 (h, w), 0 to 255.

    *before* and *after* are its neighbours in its shot, nearest first. The nearest on either side is looked at, at an
    end of the shot the two nearest on the one side; to tell which merely repeat the frame takes one more, better two,
    on each. With fewer than two to look at nothing is done. *sensitivity* is 0 to 1.
    """
    sides = [near for side in (before, after) if (near := distinct(frame, side))]
    pair = [side[0] for side in sides] if len(sides) == 2 else sides[0][:2] if sides else []
    nothing = np.zeros(frame.shape[:2], np.uint8)
    if len(pair) < 2:
        return frame, nothing
    if len(sides) == 1:
        # There, what motion has just uncovered, or is about to cover, looks like dust.
        sensitivity = 0
    gray = luma(frame)
    flows = [flow(frame, other) for other in pair]
    seen = [compensated(luma(other), there) for other, there in zip(pair, flows, strict=True)]
    limit, doubt = LEAST[0] * (LEAST[1] / LEAST[0]) ** sensitivity, DOUBT[0] + (DOUBT[1] - DOUBT[0]) * sensitivity
    limit = max(limit, NOISES * min(deviation(gray, one) for one in seen))
    # Flow strays where dust is, which is nowhere in the neighbours: a second look, along the flow of what is around.
    spikes = [_spikes(one, others, 3) > limit for one, others in _both(gray, seen)]
    flows = [filled(there, np.logical_or(*spikes)) for there in flows]
    known = np.logical_and(*(shown(there, *gray.shape) for there in flows))
    pictures = [compensated(other, there) for other, there in zip(pair, flows, strict=True)]
    instead = (pictures[0].astype(np.float32) + pictures[1]) / 2
    dirty = np.zeros_like(nothing)
    for one, others in _both(gray, [luma(picture) for picture in pictures]):
        for box, inside, around in _blotches(one, others, known, limit, doubt):
            # What is around tells how much lighter or darker this frame is there.
            instead[box][inside] += np.median((frame[box] - instead[box])[around], axis=0)
            dirty[box] |= inside
    if dirty.mean() > MOST:
        return frame, nothing
    mask = cv2.GaussianBlur(255 * cv2.dilate(dirty, _square(3)), (3, 3), 0)
    cleaned = frame + (instead - frame) * (mask / np.float32(255))[..., None]
    return cast(Frame, np.rint(cleaned).clip(0, 255).astype(np.uint8)), cast(Mask, mask)


def _both(gray: Mask, seen: Sequence[Mask]) -> list[tuple[Mask, list[Mask]]]:
    """Pictures in which what is light stands out, and in which what is dark does."""
    return [(gray, list(seen)), (~gray, [~one for one in seen])]


def _spikes(gray: Mask, seen: Sequence[Mask], edge: int) -> Mask:
    """By how much each pixel is lighter than all that both neighbours show in a square of that *edge* around it."""
    return cast(Mask, cv2.subtract(gray, np.maximum(*(cv2.dilate(one, _square(edge)) for one in seen))))


def _blotches(
    gray: Mask, seen: Sequence[Mask], known: NDArray[np.bool_], limit: float, doubt: float
) -> Iterator[tuple[Box, NDArray[np.bool_], NDArray[np.bool_]]]:
    """For each light blotch a box around it, and which pixels there are its own, and which its surroundings.

    It stands out by *limit*, in part; what it may have of what dust does not have is multiplied by *doubt*.
    """
    spikes = (_spikes(gray, seen, 3) > limit) & known
    reach = (_spikes(gray, seen, 1) > RIM * limit).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(reach)
    areas, spiked = boxes[:, cv2.CC_STAT_AREA], np.bincount(labels[spikes], minlength=count)
    fit = (areas >= SMALLEST) & (areas <= LARGEST * gray.size) & (spiked > areas * SPIKED / doubt)
    change = cv2.absdiff(gray, cv2.addWeighted(seen[0], 0.5, seen[1], 0.5, 0))
    apart = cv2.absdiff(*seen)
    slope = cv2.morphologyEx(gray, cv2.MORPH_GRADIENT, _square(2 * max(1, round(gray.shape[1] / EDGE)) + 1))
    for label in np.flatnonzero(fit[1:]) + 1:
        left, top, width, height, area = boxes[label].tolist()
        margin = max(4, round(np.sqrt(area) / 2))
        box = np.s_[max(0, top - margin) : top + height + margin, max(0, left - margin) : left + width + margin]
        blotch = (labels[box] == label).astype(np.uint8)
        inside, core = blotch > 0, cv2.erode(blotch, _square(3)) > 0
        edge = (cv2.dilate(blotch, _square(3)) > 0) & ~core
        around = cv2.dilate(blotch, _square(2 * margin + 1)) > cv2.dilate(blotch, _square(5))
        contrast = np.median(change[box][inside])
        if (
            np.quantile(change[box][around], 0.85) < UNEXPLAINED * doubt * contrast
            and np.median(apart[box][inside]) < DISPUTED * doubt * contrast
            and np.std(gray[box][core if core.any() else inside]) < TEXTURED * doubt * contrast
            and np.median(slope[box][edge]) > SHARP / doubt * contrast
        ):
            yield box, inside, around


def _square(edge: int) -> Mask:
    return np.ones((edge, edge), np.uint8)
