"""What was invented of a video's faces: by whom, where, how much, and how like the source it is."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from restoration.files import atomic
from restoration.media.chunks import read_chunk
from restoration.media.codecs import EncodeSettings, encoder_options
from restoration.media.encode import counted
from restoration.media.timeline import Timeline

METHODS = {
    "restore_faces": "invented by a network that has learned what faces look like",
    "upscale": "sharpened by a network for any picture, which knows nothing of faces",
}
"""What a network does to faces, by its task."""

LEFT_ALONE = "left alone"
"""How the decision on a face begins that is as it was."""


def record(
    found: dict[str, Any], entries: list[dict[str, Any]], networks: dict[str, dict[str, str]], timeline: Timeline
) -> dict[str, Any]:
    """The record: *networks* by their part, a summary of each track, and an entry for each face in each frame.

    *found* is what the job track wrote, *entries* come from the chunks in order. Identity distances are None where
    faces are too small for them, or nobody asked.
    """
    distances: list[list[float]] = [[] for _ in found["tracks"]]
    for entry in entries:
        if entry["identity_distance"] is not None:
            distances[entry["face"]].append(entry["identity_distance"])
    times = [float(time) for time in timeline.times()]
    return {
        "method": METHODS[networks["model"]["task"]],
        "networks": networks,
        "faces": [
            {
                "face": index,
                "shot": track["shot"],
                "first": track["first"],
                "last": track["first"] + len(track["boxes"]) - 1,
                "detected": sum(score is not None for score in track["scores"]),
                "decision": _decision(verdict["share"]),
                "similarity": verdict["similarity"],
                "identity_distance": round(float(np.median(distances[index])), 4) if distances[index] else None,
                "landmark_jitter": dict(zip(("found", "calmed"), track["jitter"], strict=True)),
                "unrest": dict(zip(("source", "restored"), verdict["unrest"], strict=True)),
            }
            for index, (track, verdict) in enumerate(zip(found["tracks"], found["verdicts"], strict=True))
        ],
        "frames": [{"time": round(times[entry["frame"]], 6)} | entry for entry in entries],
    }


def restored_faces(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The faces of a *record* that were not left alone."""
    return [face for face in record["faces"] if not face["decision"].startswith(LEFT_ALONE)]


def restored_boxes(record: Mapping[str, Any] | None) -> dict[int, list[list[float]]]:
    """By frame, where the faces of a *record* were restored: left, top, right, bottom in the source's pixels."""
    boxes: dict[int, list[list[float]]] = {}
    for entry in (record or {}).get("frames", []):
        if entry["strength"]:
            boxes.setdefault(entry["frame"], []).append(entry["box"])
    return boxes


def _decision(share: float) -> str:
    """In words, how much of the strength a track gets."""
    return {0.0: f"{LEFT_ALONE}: too unlike the source", 1.0: "restored"}.get(share, f"softened to {share:.0%}")


def write_mask(target: Path, chunks: Sequence[Path], timeline: Timeline, *, trimmed: bool) -> None:
    """Write the masks in *chunks* as a gray FFV1 video; all of them, or no file.

    With the times of *timeline*, which begin at 0 if it is *trimmed*: those of the result.
    """
    origin = int(timeline.pts[0]) if trimmed else 0
    masks = counted(chain.from_iterable(map(read_chunk, chunks)), len(timeline.pts), target)
    first = next(masks)
    with atomic(target) as temporary, av.open(temporary, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "gray"
        stream.options = encoder_options(EncodeSettings("ffv1"), stream.width, stream.height)
        stream.time_base = stream.codec_context.time_base = timeline.time_base
        for pts, mask in zip(timeline.pts.tolist(), chain([first], masks), strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(mask[..., 0]), format="gray")
            frame.pts, frame.time_base = pts - origin, timeline.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
