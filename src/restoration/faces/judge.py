"""What a network makes of a face, judged over the whole track: its colours, its likeness, and whether it is calm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

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
    samples = [_Samples(mask, source_edge(matrices.values())) for matrices in wanted]
    for number, frame in _needed(reel, set().union(*wanted)):
        for matrices, seen in zip(wanted, samples, strict=True):
            if number in matrices:
                face = AlignedFace(number, aligned(frame, matrices[number]), seen.edge)
                seen.add(face, restorer.restored([face])[0])
    return [seen.verdict(refuse_below) for seen in samples]


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


def allowed(likeness: float, refuse_below: float) -> float:
    """How much of the strength a face of this *likeness* gets: 0 to 1."""
    return float(np.clip((likeness - refuse_below) / SOFTENED, 0, 1))


def _needed(reel: Reel, numbers: set[int]) -> Iterator[tuple[int, Frame]]:
    """These frames of *reel*; chunks that hold none are not read."""
    for span, _ in reel.chunks:
        if due := [number for number in numbers if span.first <= number <= span.last]:
            first = min(due)
            for number, frame in enumerate(reel.frames(first, max(due)), first):
                if number in numbers:
                    yield number, frame


class _Samples:
    """What a track's faces, shown one after the other, tell; of pictures only the last ones are kept."""

    def __init__(self, mask: Mask, edge: int) -> None:
        self.mask, self.edge = mask, edge
        self.likeness: list[float] = []
        self.changes: list[NDArray[np.float64]] = []
        self.unrest: list[tuple[float, float]] = []
        self.last: tuple[AlignedFace, Frame] | None = None

    def add(self, face: AlignedFace, restored: Frame) -> None:
        """See the next face, and what the network made of it."""
        self.likeness.append(similarity(face, restored, self.mask))
        self.changes.append(mean_colour(face.crop, self.mask) - mean_colour(restored, self.mask))
        if self.last and self.last[0].number == face.number - 1:
            before, restored_before = self.last
            self.unrest.append((self._difference(before.crop, face.crop), self._difference(restored_before, restored)))
        self.last = face, restored

    def verdict(self, refuse_below: float) -> Verdict:
        """On all of them."""
        likeness = float(np.median(self.likeness))
        source, restored = np.mean(self.unrest or [(0.0, 0.0)], axis=0).round(3).tolist()
        return Verdict(
            similarity=round(likeness, 4),
            share=round(allowed(likeness, refuse_below), 3),
            change=np.mean(self.changes, axis=0).round(3).tolist(),
            unrest=(source, restored),
            edge=self.edge,
        )

    def _difference(self, one: Frame, other: Frame) -> float:
        differences = np.abs(one.astype(np.float32) - other).mean(axis=-1)
        return float((self.mask * differences).sum() / self.mask.sum())
