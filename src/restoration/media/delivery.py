"""The delivery report: what a result holds of its source, what was assumed, and what was lost."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import av

from restoration.media.passthrough import Entry
from restoration.media.proof import tags_of

PROVED = [
    "frame count",
    "time of every frame",
    "look of every frame",
    "no black or frozen stretch that the source lacks",
    "size, pixel shape, colour tags",
    "closed captions",
    "every packet of sound",
    "A/V offset",
]


def delivery(
    path: Path, source: Path, description: dict[str, Any], ledger: list[Entry], damage: list[str]
) -> dict[str, Any]:
    """Describe the proved file *path*, made from *source*, of which *description* (the probe's) tells.

    `streams` accounts for every stream of the source: restored, copied, converted or dropped, with the reason;
    *damage* is what was found in those beside the picture.
    """
    with av.open(path, metadata_errors="replace") as container:
        video = container.streams.video[0]
        context = video.codec_context
        found = {
            "name": path.name,
            "bytes": path.stat().st_size,
            "container": container.format.name,
            "codec": context.name,
            "pixel_format": context.pix_fmt,
            "size": [context.width, context.height],
            "sample_aspect_ratio": str(video.sample_aspect_ratio or 1),
            "time_base": str(video.time_base),
            "duration": float((video.duration or 0) * video.time_base)
            or float((container.duration or 0) / av.time_base),
            "streams": [stream.type for stream in container.streams],
            "colour": tags_of(context),
        }
    return {
        "source": {"name": source.name, **description["source"]},
        "result": found,
        "frames": description["frames"],
        "reading": description["reading"],
        "times_invented": description["times_invented"],
        "time_jumps": description["time_jumps"],
        "damage": description["damage"] + damage,
        "streams": [asdict(entry) for entry in ledger],
        "proved": PROVED,
    }
