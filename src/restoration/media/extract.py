"""Extraction: any run of frames of a source, found by pts and proved by hash to be those that the probe saw."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from restoration.errors import RestorationError
from restoration.frames import Frame, frame_hash
from restoration.media.kind import is_still
from restoration.media.reading import Reading
from restoration.media.source import decode, open_source
from restoration.media.still import extract_still
from restoration.media.timeline import Timeline

logger = logging.getLogger(__name__)

SEEK_MARGINS = (Fraction(0), Fraction(10), None)
"""Seconds before the wanted frame to seek to, tried in order; None decodes from the file's beginning."""


def extract(path: Path, description: dict[str, Any], timeline: Timeline, first: int, last: int) -> Iterator[Frame]:
    """Yield frames *first* to *last* of *timeline*, decoded from the source *path* as its *description* says.

    Seeking is trusted only as far as the hashes agree: after a seek that lands too late, or that gives other pixels
    (open GOPs, broken indices, filters that need neighbours), the rest is decoded from farther back. Raises
    RestorationError when no way leads to the pictures that the timeline lists.
    """
    if is_still(path):
        yield extract_still(path, description, timeline)
        return
    reading = Reading(**description["reading"])
    wanted = list(timeline.table[["pts", "hash"]].iloc[first : last + 1].itertuples(index=False, name=None))
    done = 0
    for margin in SEEK_MARGINS if description["seekable"] else SEEK_MARGINS[-1:]:
        with open_source(path) as container:
            stream = container.streams[reading.stream]
            if margin is not None:
                due = wanted[done][0] * timeline.time_base - margin
                with suppress(av.FFmpegError):  # AVI refuses to seek before its beginning, and stays there
                    container.seek(int(due / stream.time_base), stream=stream)
            for frame in decode(container, stream, reading, []):
                if frame.pts < wanted[done][0]:
                    continue
                if (frame.pts, frame_hash(frame.rgb)) != wanted[done]:
                    logger.info("Frame %d is not there after seeking: decoding from farther back", first + done)
                    break
                yield frame.rgb
                done += 1
                if done == len(wanted):
                    return
    raise RestorationError(
        f"{path}: frame {first + done} (pts {wanted[done][0]}) is not what it was when the video was probed; "
        "the source changed, or it is damaged. Run `snakemake --forcerun probe` to look at it anew."
    )
