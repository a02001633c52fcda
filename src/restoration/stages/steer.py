"""What a person knows about the colours: reference pictures and colour points steer what the network saw, shot by shot.

First the whole video is looked at (`guide`), then each frame is steered by what was found (`Guidance.steered`), so it
does not matter where chunks begin.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from restoration.errors import RestorationError
from restoration.frames import Box, Frame, inside
from restoration.media.timeline import Timeline
from restoration.motion import Seen
from restoration.stages.chroma import with_chroma
from restoration.stages.colour_points import Point, Track, follow, steered, track
from restoration.stages.colour_transfer import Statistics, statistics_of, transfer, transferred
from restoration.stages.reel import Reel

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Guidance:
    """How to steer a video: by shot the matrix (2, 4) of `transfer`, the ways of all colour points, and the part of the
    picture inside black borders (width, height, left, top), beyond which nothing is steered; None for all of it."""

    shots: dict[int, list[list[float]]]
    tracks: list[Track]
    box: Box | None = None

    def to_json(self) -> str:
        """As `from_json` takes it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Guidance":
        """What `to_json` wrote."""
        content = json.loads(text)
        shots = {int(shot): matrix for shot, matrix in content["shots"].items()}
        return cls(shots, [Track(**one) for one in content["tracks"]], content["box"])

    def steered(self, frame: Frame, number: int, shot: int) -> Frame:
        """Frame *number* of the video in its colours; luma stays. A frame that nothing is known about stays itself."""
        tracks = [one for one in self.tracks if one.at(number)]
        if shot not in self.shots and not tracks:
            return frame
        matrix = np.array(self.shots.get(shot, np.eye(3, 4)[1:]))
        chroma = steered(frame, transferred(frame, matrix), tracks, number)
        coloured = with_chroma(frame, np.clip(np.rint(chroma), 0, 255).astype(np.uint8))
        result = frame.copy()
        inside(result, self.box)[:] = inside(coloured, self.box)
        return result


def guide(
    chunks: Sequence[Path],
    timeline: Timeline,
    references: list[dict[str, Any]],
    points: list[Point],
    colorized: Sequence[bool],
    box: Box | None,
) -> Guidance:
    """Look at a video in *chunks* (all, in any order) and find how to steer its *colorized* frames.

    Each of the *references* has `images` (paths), `strength` and `frame`: any frame of the shot that they are for, or
    None for all shots that have none of their own. *box* is the part of the picture inside black borders.
    RestorationError for hints on what is not there.
    """
    shots = timeline.shots()
    last = shots[-1][1]
    for frame in (frame for frame in [*(r["frame"] for r in references), *(p.frame for p in points)] if frame):
        if frame > last:
            raise RestorationError(
                f"a hint is for frame {frame}, and the last frame is {last}, counted from 0 at start; correct the hints"
            )
    shot_of = timeline.table["shot"].tolist()
    chosen = {shot: r for r in references if r["frame"] is None for shot in range(len(shots))}
    chosen |= {shot_of[r["frame"]]: r for r in references if r["frame"] is not None}
    chosen = {shot: r for shot, r in chosen.items() if colorized[shots[shot][0]]}
    skipped = {shot_of[p.frame] for p in points if not colorized[p.frame]}
    for shot in sorted(skipped):
        logger.warning("SKIPPED: points in shot %d, which has colour already (colorize.force steers it, too)", shot)
    for point in points:
        if box and not (box[2] <= point.x < box[2] + box[0] and box[3] <= point.y < box[3] + box[1]):
            logger.warning(
                "The point at x %g, y %g of frame %d lies in a black border, which stays black",
                point.x, point.y, point.frame,
            )  # fmt: skip
    reel = Reel(chunks)
    seen = {shot: Statistics() for shot in chosen}
    for shot, statistics in seen.items():
        for frame in reel.frames(*shots[shot]):
            statistics.see(inside(frame, box))
    wanted = {id(r): statistics_of(r["images"]) for r in chosen.values()}
    matrices = {
        shot: transfer(seen[shot], wanted[id(r)], r["strength"]).round(6).tolist() for shot, r in chosen.items()
    }
    tracks = []
    for shot in sorted({shot_of[p.frame] for p in points} - skipped):
        tracks += tracks_of(reel, [p for p in points if shot_of[p.frame] == shot], shot, *shots[shot])
    return Guidance(matrices, tracks, box)


def tracks_of(reel: Reel, points: list[Point], shot: int, first: int, last: int) -> list[Track]:
    """The ways of *points* through their shot, from frame *first* to *last*."""
    by_id = dict(enumerate(points))
    forth = (Seen(frame, n, shot) for n, frame in enumerate(reel.frames(first, last), first))
    back = (Seen(frame, last - n, shot) for n, frame in enumerate(reel.frames(first, last, backwards=True)))
    found: dict[int, dict[int, tuple[float, float]]] = {id: {} for id in by_id}
    for way in (forth, back):
        for id, number, x, y in follow(way, by_id):
            found[id][number] = x, y
    height, width = next(reel.frames(first, first)).shape[:2]
    for point in points:
        if not (0 <= point.x < width and 0 <= point.y < height):
            raise RestorationError(
                f"a hint is for x {point.x}, y {point.y} of frame {point.frame}, and pictures have {width} by "
                f"{height} pixels; correct the hints"
            )
    tracks = [track(point, found[id], (first, last), width) for id, point in by_id.items()]
    for point, one in zip(points, tracks, strict=True):
        logger.info(
            "The colour of frame %d, x %g, y %g is found in frames %d to %d of the shot's %d to %d",
            point.frame, point.x, point.y, one.first, one.first + len(one.places) - 1, first, last,
        )  # fmt: skip
    return tracks
