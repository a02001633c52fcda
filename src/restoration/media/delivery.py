"""The delivery report: what a result holds of its source, what was assumed, and what was lost."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import av

from restoration.media.passthrough import Entry


def delivery(path: Path, source: Path, description: dict[str, Any], ledger: list[Entry]) -> dict[str, Any]:
    """Describe the proved file *path*, made from *source*, of which *description* (the probe's) tells.

    `streams` accounts for every stream of the source: restored, copied, converted or dropped, with the reason.
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
            "time_base": str(video.time_base),
            "colour": {
                "matrix": int(context.colorspace),
                "primaries": int(context.color_primaries),
                "transfer": int(context.color_trc),
                "range": int(context.color_range),
            },
        }
    return {
        "source": {"name": source.name, **description["source"]},
        "result": found,
        "frames": description["frames"],
        "reading": description["reading"],
        "times_invented": description["times_invented"],
        "damage": description["damage"],
        "streams": [asdict(entry) for entry in ledger],
        "proved": ["frame count", "time of every frame", "look of every frame", "every packet of sound", "A/V offset"],
    }
