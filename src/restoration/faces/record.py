"""What was invented of a video's faces: by whom, where, how much, and how like the source it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

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
