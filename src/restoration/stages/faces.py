"""Faces restored and pasted back, frame by frame, where tracks and verdicts say, with a record of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.faces.align import Matrix, aligned, alignment
from restoration.faces.identity import SMALLEST, Identity
from restoration.faces.judge import Verdict, allowed, similarity
from restoration.faces.paste import Mask, pasted, recoloured, soft_mask
from restoration.faces.restore import AlignedFace, FaceParser, FaceRestorer
from restoration.faces.tracks import Track
from restoration.frames import Frame, Picture, enriched, plain
from restoration.media.masks import write_with_masks
from restoration.stages.runner import prefetch, progress


@dataclass(frozen=True)
class Shown:
    """A picture with restored faces; how much of each pixel is invented, (height, width); an entry per face."""

    frame: Picture
    invented: NDArray[np.uint8]
    entries: list[dict[str, Any]]


@dataclass(frozen=True)
class _Found:
    """A face in a frame: its track, how it was aligned, and what it looks like."""

    track: int
    matrix: Matrix
    face: AlignedFace


class Faces:
    """Restores the faces of *tracks*, as far as their *verdicts* allow, with *restorer*; None: there are none.

    *parser* tells what of them is face; without one a soft ellipse is taken. *identity* tells how far they are from the
    source's person; without one nobody does. *strength* is how much of a restored face is taken, 0 to 1; one that is
    less like the source than *refuse_below* is left alone, whatever its track is. *batch* is how many faces of a frame
    a network sees at once.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        verdicts: Sequence[Verdict],
        restorer: FaceRestorer | None,
        parser: FaceParser | None,
        *,
        identity: Identity | None = None,
        strength: float,
        refuse_below: float | None = None,
        batch: int,
    ) -> None:
        self.tracks, self.verdicts = tracks, verdicts
        self.restorer, self.parser, self.identity = restorer, parser, identity
        self.strength, self.refuse_below, self.batch = strength, refuse_below, batch

    def shown(self, frames: Iterable[tuple[int, Frame, Picture]]) -> Iterator[Shown]:
        """For each number, frame before upscaling and picture that gets the faces: what becomes of it.

        A picture without faces stays as it is, bit for bit, and any stays as rich as it is. Faces of other frames are
        no company: what a network makes of a picture depends, in its last digits, on those that come with it, and
        chunks must not matter.
        """
        for number, source, picture in frames:
            found = self._found(number, source)
            restored = self._restored([one.face for one in found])
            pasted = self._pasted(number, source, plain(picture), [(one, *next(restored)) for one in found])
            yield replace(pasted, frame=enriched(pasted.frame, picture))

    def _found(self, number: int, source: Frame) -> list[_Found]:
        matrices = {
            index: alignment(track.marks(number))
            for index, track in enumerate(self.tracks)
            if track.is_in(number) and self.verdicts[index].share > 0
        }
        return [
            _Found(index, matrix, AlignedFace(number, aligned(source, matrix), self.verdicts[index].edge))
            for index, matrix in matrices.items()
        ]

    def _restored(self, faces: list[AlignedFace]) -> Iterator[tuple[Frame, Mask]]:
        if self.restorer is None:
            return
        for begin in range(0, len(faces), self.batch):
            some = faces[begin : begin + self.batch]
            restored = self.restorer.restored(some)
            masks = self.parser.masks(np.stack(restored)) if self.parser else [soft_mask()] * len(some)
            yield from zip(restored, masks, strict=True)

    def _pasted(self, number: int, source: Frame, frame: Frame, faces: list[tuple[_Found, Frame, Mask]]) -> Shown:
        scale = frame.shape[1] / source.shape[1]
        kept = np.ones(frame.shape[:2], np.float32)
        judged = dict[int, tuple[float, float | None, float]]()
        for one, restored, mask in faces:
            track, verdict = self.tracks[one.track], self.verdicts[one.track]
            coloured = recoloured(restored, np.array(verdict.change))
            likeness = similarity(one.face, restored, mask)
            share = (
                verdict.share if self.refuse_below is None else min(verdict.share, allowed(likeness, self.refuse_below))
            )
            strength = self.strength * share * track.presence(number)
            frame, weight = pasted(frame, coloured, one.matrix, scale, mask, strength)
            kept *= 1 - weight
            judged[one.track] = round(likeness, 4), self._distance(one, number, coloured), round(strength, 4)
        return Shown(
            frame,
            np.rint((1 - kept) * 255).astype(np.uint8),
            [
                self._entry(number, index, *judged.get(index, (None, None, 0)))
                for index, t in enumerate(self.tracks)
                if t.is_in(number)
            ],
        )

    def _distance(self, one: _Found, number: int, restored: Frame) -> float | None:
        _, top, _, bottom = self.tracks[one.track].box(number)
        if self.identity is None or bottom - top < SMALLEST:
            return None
        return round(self.identity.distance(one.face.crop, restored), 4)

    def _entry(
        self, number: int, index: int, likeness: float | None, distance: float | None, strength: float
    ) -> dict[str, Any]:
        track, box = self.tracks[index], self.tracks[index].box(number)
        return {
            "frame": number,
            "face": index,
            "box": box,
            "landmarks": track.landmarks[number - track.first],
            "score": track.scores[number - track.first],
            "size": round(box[3] - box[1], 1),
            "similarity": likeness,
            "identity_distance": distance,
            "strength": strength,
        }


def write_faces(target: Path, invented: Path, shown: Iterable[Shown], *, expected: int) -> list[dict[str, Any]]:
    """Write the chunk of frames and the chunk of masks, and give all entries. *expected* frames, or nothing appears."""
    entries = list[dict[str, Any]]()

    def masked() -> Iterator[tuple[Picture, NDArray[np.uint8]]]:
        for one in shown:
            entries.extend(one.entries)
            yield one.frame, one.invented

    write_with_masks(target, invented, progress(prefetch(masked(), depth=2), expected), expected=expected)
    return entries
