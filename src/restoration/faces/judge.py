"""What a network makes of a face, judged over the whole track: its colours, its likeness, and whether it is calm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from restoration.faces.align import aligned, alignment, source_edge
from restoration.faces.paste import Mask, mean_colour
from restoration.faces.restore import AlignedFace, FaceRestorer, resized
from restoration.faces.tracks import Track
from restoration.frames import Frame
from restoration.stages.reel import Reel

PAIRS = 6
"""Places along a track at which a frame and the one after it are restored, to judge the track by."""
SOFTENED = 0.1
"""Similarity above the floor over which strength rises from 0 to what was asked for."""
FLAT = 1e-6
"""Variance of luma (of 255) below which a picture shows nothing."""


@dataclass(frozen=True)
class Verdict:
    """*similarity* of the restored faces to the source's, the median; *share* of the strength that the track gets;
    *change* of Y, U and V that brings the restored faces' mean colour back to the source's; *unrest*: mean difference
    of neighbouring faces, of 255, in the source and restored; *edge* of the faces in the source: `source_edge`."""

    similarity: float
    share: float
    change: list[float]
    unrest: tuple[float, float]
    edge: int


def judged(
    tracks: Sequence[Track], reel: Reel, restorer: FaceRestorer, mask: Mask, refuse_below: float
) -> list[Verdict]:
    """The verdict on each of *tracks* in *reel*, from faces that *restorer* restores at up to PAIRS places.

    A track whose similarity is below *refuse_below* gets nothing; a little above it, less.
    """
    wanted = [{number: alignment(track.marks(number)) for number in sampled(track)} for track in tracks]
    edges = [source_edge(matrices.values()) for matrices in wanted]
    seen: list[list[tuple[AlignedFace, Frame]]] = [[] for _ in tracks]
    for number, frame in _needed(reel, set().union(*wanted)):
        for matrices, edge, samples in zip(wanted, edges, seen, strict=True):
            if number in matrices:
                face = AlignedFace(number, aligned(frame, matrices[number]), edge)
                samples.append((face, restorer.restored([face])[0]))
    return [_verdict(samples, mask, refuse_below) for samples in seen]


def sampled(track: Track) -> list[int]:
    """The frames by which *track* is judged: evenly spread pairs of neighbours."""
    starts = np.linspace(track.first, max(track.first, track.last - 1), PAIRS).round().astype(int)
    return sorted({number for start in starts.tolist() for number in (start, min(start + 1, track.last))})


def similarity(face: AlignedFace, restored: Frame, mask: Mask) -> float:
    """Correlation of the luma of *face* with that of the *restored* one, at the source's size within *mask*.

    -1 to 1, which is the same picture; 1 where there is nothing to see, in the source or the mask; 0 where only the
    restored face shows nothing.
    """
    if not mask.any():
        return 1.0
    size = face.edge, face.edge
    weights = cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
    weights /= weights.sum()
    lumas = (cv2.cvtColor(resized(crop, face.edge), cv2.COLOR_RGB2GRAY).ravel() for crop in (face.crop, restored))
    one, other = (luma - weights @ luma for luma in lumas)
    spreads = weights @ one**2, weights @ other**2
    if min(spreads) < FLAT:
        return float(spreads[0] < FLAT)
    return float(weights @ (one * other) / np.sqrt(spreads[0] * spreads[1]))


def _needed(reel: Reel, numbers: set[int]) -> Iterator[tuple[int, Frame]]:
    """These frames of *reel*; chunks that hold none are not read."""
    for span, _ in reel.chunks:
        if due := [number for number in numbers if span.first <= number <= span.last]:
            first = min(due)
            for number, frame in enumerate(reel.frames(first, max(due)), first):
                if number in numbers:
                    yield number, frame


def _verdict(samples: list[tuple[AlignedFace, Frame]], mask: Mask, refuse_below: float) -> Verdict:
    likeness = float(np.median([similarity(face, restored, mask) for face, restored in samples]))
    changes = [mean_colour(face.crop, mask) - mean_colour(restored, mask) for face, restored in samples]
    pairs = [(one, next_one) for one, next_one in pairwise(samples) if next_one[0].number == one[0].number + 1]
    return Verdict(
        similarity=round(likeness, 4),
        share=round(float(np.clip((likeness - refuse_below) / SOFTENED, 0, 1)), 3),
        change=np.mean(changes, axis=0).round(3).tolist(),
        unrest=(
            _unrest([(one.crop, next_one.crop) for (one, _), (next_one, _) in pairs], mask),
            _unrest([(one, next_one) for (_, one), (_, next_one) in pairs], mask),
        ),
        edge=samples[0][0].edge,
    )


def _unrest(pairs: list[tuple[Frame, Frame]], mask: Mask) -> float:
    differences = [np.abs(a.astype(np.float32) - b).mean(axis=-1) for a, b in pairs]
    return round(float(np.mean([(mask * d).sum() / mask.sum() for d in differences])), 3) if differences else 0.0
