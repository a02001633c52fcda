"""Measures of a restored video against its source, for every frame, shot and the whole: differences, no scores.

What a viewer gets is measured: the delivered file, decoded as its tags say, at the times at which the source's frames
are due. docs/measures.md tells what each measure means and when it misleads.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pandas as pd

from restoration.faces.record import restored_boxes, restored_faces
from restoration.frames import Frame, plain
from restoration.media.codecs import EncodeSettings
from restoration.media.extract import extract
from restoration.media.kind import is_still
from restoration.media.looks import froze, light_and_change, look, went_black
from restoration.media.still import read_still
from restoration.media.timeline import Timeline
from restoration.motion import WORKING_WIDTH, Array, Seen, Step
from restoration.review.fidelity import (
    Luma,
    blockiness,
    chroma_error,
    colourfulness,
    likeness,
    luma_of,
    matrix_mistake,
    psnr,
    sharpness,
    ssim,
)
from restoration.review.limits import MEASURES, OF_FRAMES
from restoration.review.playback import Playback, timing

logger = logging.getLogger(__name__)

WIDEST = 960
"""Pixels of width up to which pictures are compared at the source's size; larger ones are scaled down to it."""
LARGEST = 1024
"""Pixels along an edge of the part of a result that is looked at at full size."""
REPORT_FRAMES = 500
DIGITS = 4


@dataclass(frozen=True)
class Pair:
    """A frame of the source and what became of it; *recoloured*: its chroma was invented, so it is not compared.

    *boxes* are the places of restored faces.
    """

    before: Frame
    after: Frame
    shot: int
    recoloured: bool
    boxes: Sequence[Sequence[float]]

    @cached_property
    def compared(self) -> tuple[Luma, Luma]:
        """Luma of both at the source's size, or WIDEST."""
        height, width = self.before.shape[:2]
        size = min(width, WIDEST), max(1, round(height * min(1, WIDEST / width)))
        before, after = (luma_of(_resized(frame, size)) for frame in (self.before, self.after))
        return before, after

    @property
    def _large(self) -> tuple[Luma, Luma]:
        """Luma of the result, and of the source enlarged to it: the middle of both, if they are larger than LARGEST."""
        large = luma_of(self.after)
        enlarged = cv2.resize(luma_of(self.before), large.shape[::-1], interpolation=cv2.INTER_CUBIC)
        # From a border of blocks on.
        top, left = (max(0, edge - LARGEST) // 16 * 8 for edge in large.shape)
        part = slice(top, top + LARGEST), slice(left, left + LARGEST)
        return large[part], cast(Luma, enlarged[part])

    @cached_property
    def small(self) -> tuple[Frame, Frame]:
        """Both at one size, not wider than flow needs: noise is averaged away."""
        height, width = self.before.shape[:2]
        size = min(width, WORKING_WIDTH), max(1, round(height * min(1, WORKING_WIDTH / width)))
        return _resized(self.before, size), _resized(self.after, size)

    @cached_property
    def seen(self) -> tuple[Seen, Seen]:
        """Both as motion sees them."""
        before, after = (Seen(frame, 0, self.shot) for frame in self.small)
        return before, after

    @cached_property
    def colours(self) -> tuple[float, float]:
        """Colourfulness of both."""
        before, after = map(colourfulness, self.small)
        return before, after

    def row(self, last: "Pair | None") -> dict[str, float | None]:
        """All measures of this frame that need none but the *last*, None at the beginning of a shot."""
        before, after = self.compared
        large, enlarged = self._large
        row: dict[str, float | None] = {
            "psnr": psnr(after, before),
            "ssim": ssim(after, before),
            "chroma_error": None if self.recoloured else chroma_error(*self.small),
            "matrix": None if self.recoloured else matrix_mistake(self.small[1], self.small[0]),
            "colourfulness": self.colours[1] - self.colours[0],
            "sharpness": sharpness(large, enlarged),
            "blockiness": blockiness(large, enlarged),
            "face_likeness": min(self._likenesses(), default=None),
        }
        if last:
            drifts = [abs(now - then) for now, then in zip(self.colours, last.colours, strict=True)]
            return row | self._flicker(last) | {"colour_drift": drifts[1] - drifts[0]}
        return row

    def is_still_after(self, last: "Pair") -> bool:
        """Whether nothing at all happened since *last*, on either side."""
        same = last.after is self.after or np.array_equal(last.after, self.after)
        return same and np.array_equal(last.before, self.before) and last.boxes == self.boxes

    def _flicker(self, last: "Pair") -> dict[str, float | None]:
        """Warp error of the result less that of the source, by the flow of the source, where that can be trusted (Lai
        et al. 2018, "Learning blind video temporal consistency"; absolute instead of squared)."""
        step = Step(last.seen[0], self.seen[0])
        before, after = (_warp_error(step, then, now) for then, now in zip(last.seen, self.seen, strict=True))
        return {"luma_flicker": after[0] - before[0], "chroma_flicker": after[1] - before[1]}

    def _likenesses(self) -> Iterator[float]:
        before, after = self.compared
        scale = before.shape[1] / self.before.shape[1]
        for box in self.boxes:
            left, top, right, bottom = (max(0, round(edge * scale)) for edge in box)
            part = slice(top, bottom), slice(left, right)
            if (value := likeness(after[part], before[part])) is not None:
                yield value


def measure(
    source: Path,
    description: dict[str, Any],
    timeline: Timeline,
    restored: Path,
    *,
    record: dict[str, Any] | None = None,
    recoloured: Sequence[bool] | None = None,
    trimmed: bool = False,
    settings: EncodeSettings | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Measure *restored* against the *source* that it was made of, which has this *description* and *timeline*.

    *record* is that of its faces, *recoloured* tells of each frame whether its chroma was invented; *trimmed* and
    *settings* are those of the encode, None for a still. Gives the table of frames (frame, time in seconds after the
    first, shot, and a column for each measure of frames) and what docs/measures.md calls the summary, of JSON types.
    Memory does not depend on the number of frames, but for the numbers. RestorationError if a file cannot be read, or
    the source is not what was probed.
    """
    count, times = len(timeline.pts), timeline.times()
    playback = Playback(restored)
    still = is_still(restored)
    shown = iter([plain(read_still(restored).pixels)]) if still else playback.shown(times)
    boxes = restored_boxes(record)
    pairs = (
        Pair(plain(before), after, shot, invented, boxes.get(number, []))
        for number, (before, after, shot, invented) in enumerate(
            zip(
                extract(source, description, timeline, 0, count - 1),
                shown,
                timeline.table["shot"].tolist(),
                recoloured or repeat(False),
                strict=False,
            )
        )
    )
    table = pd.DataFrame(_rows(pairs, count), columns=[*OF_FRAMES, "light", "change"])
    # Where the source of a still says nothing, and beyond the last frame, there is nothing to decode.
    for _ in shown:
        pass
    table["black"] = went_black(timeline.table["light"].to_numpy(), table["light"].to_numpy()).astype(int)
    table["frozen"] = 0
    for first, last in froze(timeline.table["change"].to_numpy(), table["change"].to_numpy()):
        table.loc[first:last, "frozen"] = 1
    seconds = [round(float(time), 6) for time in times]
    table.insert(0, "time", seconds)
    table.insert(1, "shot", timeline.table["shot"].to_numpy())
    table = table.drop(columns=["light", "change"]).astype(dict.fromkeys(OF_FRAMES, float)).round(DIGITS)
    table = table.astype({"black": int, "frozen": int}).rename_axis("frame")
    whole: dict[str, float | None] = {}
    if not still:
        assert settings is not None
        whole = {"frames_off": abs(playback.decoded - count)}
        whole |= timing(restored, source, description, timeline, settings, trimmed=trimmed)
    return table, {
        "video": _values(table) | {name: _rounded(value) for name, value in whole.items()},
        "shots": [_shot(rows, end) for (_, rows), end in zip(table.groupby("shot"), _ends(timeline), strict=True)],
        "faces": _faces(record, seconds) if record else None,
    }


def _rows(pairs: Iterator[Pair], count: int) -> Iterator[dict[str, Any]]:
    """The row of each pair; of pictures only the last are kept."""
    last: Pair | None = None
    last_look, row = None, dict[str, Any]()
    for number, pair in enumerate(pairs, 1):
        near = last if last and last.shot == pair.shot else None
        if near and pair.is_still_after(near):
            row = row | dict.fromkeys(("luma_flicker", "chroma_flicker", "colour_drift", "change"), 0.0)
        else:
            row = dict(pair.row(near))
            this_look = look(pair.after)
            light, change = light_and_change([this_look] if last_look is None else [last_look, this_look])
            row |= {"light": light[-1], "change": change[-1]}
            last_look = this_look
        yield row
        last = pair
        if number % REPORT_FRAMES == 0:
            logger.info("%d/%d frames", number, count)


def _resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """*frame* of this *size* (width, height), averaged where it was larger; itself where that is its size."""
    if frame.shape[1::-1] == size:
        return frame
    return cast(Frame, cv2.resize(frame, size, interpolation=cv2.INTER_AREA))


def _warp_error(step: Step, then: Seen, now: Seen) -> tuple[float, float]:
    """Mean absolute difference (of 255) of *now* from *then* moved along: of luma, and of U and V."""
    moved = step.warped(cast(Array, then.small.astype(np.float32)))
    errors = (np.abs(moved - now.small) * step.trust).mean(axis=(0, 1)) / max(float(step.trust.mean()), 1e-6)
    return float(errors[0]), float(errors[1:].mean())


def _values(rows: pd.DataFrame) -> dict[str, float | None]:
    """The mean of each measure, the sum of those that count."""
    return {name: _rounded(rows[name].sum() if MEASURES[name].by == "sum" else rows[name].mean()) for name in OF_FRAMES}


def _ends(timeline: Timeline) -> list[float]:
    """When each shot ends, in seconds after the first frame."""
    ends = (timeline.table["pts"] + timeline.table["duration"]).tolist()
    return [round(float(timeline.since_first(ends[last])), 6) for _, last in timeline.shots()]


def _shot(rows: pd.DataFrame, end: float) -> dict[str, Any]:
    worst = {}
    for name in OF_FRAMES:
        if rows[name].notna().any():
            frame = cast(int, rows[name].idxmin() if MEASURES[name].lower else rows[name].idxmax())
            worst[name] = {"value": _rounded(rows[name][frame]), "frame": frame, "time": float(rows["time"][frame])}
    span = {"shot": int(rows["shot"].iloc[0]), "first": int(rows.index[0]), "last": int(rows.index[-1])}
    return span | {"start": float(rows["time"].iloc[0]), "end": end} | _values(rows) | {"worst": worst}


def _faces(record: dict[str, Any], seconds: Sequence[float]) -> dict[str, Any]:
    """What the *record* says of each restored face, and of how many there are."""
    restored = restored_faces(record)
    return {
        "method": record["method"],
        "found": len(record["faces"]),
        "restored": len(restored),
        "tracks": [
            {
                "face": face["face"],
                "shot": face["shot"],
                "frame": face["first"],
                "time": seconds[face["first"]],
                "last": face["last"],
                "decision": face["decision"],
                "face_similarity": face["similarity"],
                "identity_distance": face["identity_distance"],
                "face_unrest": _rounded(face["unrest"]["restored"] - face["unrest"]["source"]),
                "landmark_jitter": face["landmark_jitter"],
            }
            for face in restored
        ],
    }


def _rounded(value: float | None) -> float | None:
    """*value* to DIGITS; None for what is no number, which JSON does not know."""
    return None if value is None or pd.isna(value) else round(float(value), DIGITS)
