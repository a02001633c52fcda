"""What was repaired of a video: of each shot what it suffered from, of each frame what was done to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from restoration.media.masks import Mask
from restoration.media.timeline import Timeline

METHODS = {
    "repair": "replaced by what neighbouring frames or pixels show; nothing was invented",
    "retouch": "all pixels changed by a network that invents",
}
"""What a step does to pixels."""
PAINTED = "scratches painted over, and all pixels changed, by a network that invents"
"""What `retouch` does where a further network finds scratches."""


def record(
    spec: Mapping[str, Any],
    shots: Sequence[Mapping[str, Any]],
    entries: Sequence[Mapping[str, Any]],
    timeline: Timeline,
) -> dict[str, Any]:
    """The record, by the *spec* of the step: the methods and settings of what repaired, and its networks by their part;
    what a survey says of *shots*, if there was one; an entry per frame with its time."""
    times = [float(time) for time in timeline.times()]
    methods = METHODS | ({"retouch": PAINTED} if "detector" in spec["networks"] else {})
    return {
        "methods": {step: methods[step] for step in spec["settings"]},
        "settings": spec["settings"],
        "networks": spec["networks"],
        "shots": list(shots),
        "frames": [{"time": round(times[entry["frame"]], 6), **entry} for entry in entries],
    }


def merged(masks: Iterable[Sequence[Mask]], entries: Sequence[dict[str, Any]], *, painted: bool) -> Iterator[Mask]:
    """The *masks* of each frame by several steps as one; where the last of them *painted*, the entry says how many
    pixels, strongly or not."""
    for found, entry in zip(masks, entries, strict=True):
        if painted:
            entry["painted"] = int(np.count_nonzero(found[-1]))
        yield np.maximum.reduce(found)
