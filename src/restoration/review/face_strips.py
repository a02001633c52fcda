"""Faces, close up: source beside result, so that everybody sees what was made of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import cv2

from restoration.frames import Frame
from restoration.media.timeline import Timeline
from restoration.review.comparison import pairs
from restoration.review.pictures import picture_data

SIDE = 288
"""Pixels of a face on the page."""
AROUND = 1.7
"""How much larger than the face what is shown is."""
MOST_FACES = 12
"""The largest are shown: a crowd would fill the page."""


def face_strips(
    source: Path, description: dict[str, Any], timeline: Timeline, restored: Path, record: dict[str, Any]
) -> list[dict[str, Any]]:
    """For each of the largest faces of a *record* (`restoration.faces.record`), at the middle of its track: what the
    record says of it, the `frame`, and square pictures `before` and `after` as data, of the same `size`.
    """
    shown = sorted(_middles(record), key=lambda entry: -entry["size"])[:MOST_FACES]
    frames = sorted({entry["frame"] for entry in shown})
    strips = []
    for pair in pairs(source, description, timeline, restored, frames):
        for entry in (entry for entry in shown if entry["frame"] == pair.number):
            before, after = (close_up(picture, entry["box"], pair.before) for picture in (pair.before, pair.after))
            strips.append(
                record["faces"][entry["face"]]
                | {
                    "frame": pair.number,
                    "size": SIDE,
                    "before": picture_data(before),
                    "after": picture_data(after),
                }
            )
    return strips


def close_up(picture: Frame, box: Sequence[float], found_in: Frame) -> Frame:
    """A square of *picture* around *box* (left, top, right, bottom, in pixels of the frame that it was *found_in*)."""
    height, width = found_in.shape[:2]
    left, top, right, bottom = box
    side = min(AROUND * max(right - left, bottom - top), height, width)
    x = min(max(0, (left + right - side) / 2), width - side)
    y = min(max(0, (top + bottom - side) / 2), height - side)
    scale_x, scale_y = picture.shape[1] / width, picture.shape[0] / height
    rows = slice(round(y * scale_y), max(round(y * scale_y) + 1, round((y + side) * scale_y)))
    columns = slice(round(x * scale_x), max(round(x * scale_x) + 1, round((x + side) * scale_x)))
    part = picture[rows, columns]
    shrink = cv2.INTER_AREA if part.shape[0] > SIDE else cv2.INTER_CUBIC
    return cast(Frame, cv2.resize(part, (SIDE, SIDE), interpolation=shrink))


def _middles(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The entry of each face that is nearest to the middle of its track."""
    entries: dict[int, dict[str, Any]] = {}
    for entry in record["frames"]:
        track = record["faces"][entry["face"]]
        middle = (track["first"] + track["last"]) / 2
        best = entries.get(entry["face"])
        if best is None or abs(entry["frame"] - middle) < abs(best["frame"] - middle):
            entries[entry["face"]] = entry
    return list(entries.values())
