"""Extraction: any run of frames of a source, found by pts and proved by hash to be those that the probe saw."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.frames import Picture, frame_hash
from restoration.media.kind import is_still
from restoration.media.reading import Reading, tolerant
from restoration.media.seeking import frames_at
from restoration.media.source import Clock, normalised, open_source
from restoration.media.still import extract_still
from restoration.media.timeline import Timeline

logger = logging.getLogger(__name__)

SEEK_MARGINS = (Fraction(0), Fraction(10), None)
"""Seconds before the wanted frame to seek to, tried in order; None decodes from the file's beginning."""
FILTER_MARGINS = (Fraction(1), Fraction(10), None)
"""The same where frames depend on their neighbours."""


def extract(path: Path, description: dict[str, Any], timeline: Timeline, first: int, last: int) -> Iterator[Picture]:
    """Yield frames *first* to *last* of *timeline*, decoded from the source *path* as its *description* says.

    Seeking is trusted only as far as the hashes agree: after a seek that lands too late, or that gives other pixels
    (open GOPs, broken indices, damage, filters that need neighbours), the rest is decoded from farther back. Raises
    RestorationError when no way leads to the pictures that the timeline lists.
    """
    if is_still(path):
        yield extract_still(path, description, timeline)
        return
    reading = Reading(**description["reading"])
    wanted = timeline.table["hash"].iloc[first : last + 1].tolist()
    if description["sampled"]:
        yield from _apart(path, reading, timeline, first, wanted, one_clock=description["one_clock"])
        return
    entries = timeline.entries()
    known = {frame: entry for entry, frame in entries.items()}
    margins = SEEK_MARGINS if reading.fields == "progressive" else FILTER_MARGINS
    done = 0
    for margin in margins:
        with open_source(path) as container:
            stream = container.streams[reading.stream]
            pictures, begin = tolerant(container, stream), -description["skipped"]
            if margin is not None:
                pictures, begin = _from_entry(container, stream, entries, first + done, margin)
            frames = normalised(pictures, container, stream, reading, Clock(stream, reading.rate))
            for number, frame in enumerate(frames, begin):
                if number < first + done:
                    continue
                same_time = frame.entry == known.get(number, frame.entry)
                if not same_time or frame_hash(frame.rgb) != wanted[done]:
                    logger.info("Frame %d is not there after seeking: decoding from farther back", first + done)
                    break
                yield frame.rgb
                done += 1
                if done == len(wanted):
                    return
    raise _changed(path, timeline, first + done)


def _apart(
    path: Path, reading: Reading, timeline: Timeline, first: int, wanted: list[str], *, one_clock: bool
) -> Iterator[Picture]:
    """Frames from *first* on of a *timeline* of single frames, as many as hashes are *wanted*; by seeking, in a file of
    *one_clock*, as far as that leads to them, then by decoding all before."""
    done = 0
    for seek in (True, False) if one_clock else (False,):
        times = [pts * timeline.time_base for pts in timeline.pts[first + done : first + len(wanted)].tolist()]
        for frame in frames_at(path, reading, times, seek=seek):
            if frame_hash(frame.rgb) != wanted[done]:
                break
            yield frame.rgb
            done += 1
        if done == len(wanted):
            return
    raise _changed(path, timeline, first + done)


def _changed(path: Path, timeline: Timeline, frame: int) -> RestorationError:
    return RestorationError(
        f"{path}: frame {frame} (pts {timeline.pts[frame]}) is not what it was when the video was "
        "probed; the source changed, or it is damaged. Run `snakemake --forcerun probe` to look at it anew."
    )


def _from_entry(
    container: InputContainer, stream: VideoStream, entries: dict[int, int], wanted: int, margin: Fraction
) -> tuple[Iterator[av.VideoFrame], int]:
    """The pictures from an entry at least *margin* seconds before frame *wanted* on, and which frame they begin with;
    no pictures where there is no such entry."""
    before = [entry for entry, frame in entries.items() if frame <= wanted]
    if before:
        with suppress(av.FFmpegError):  # AVI refuses to seek before its beginning, and stays there
            container.seek(before[-1] - round(margin / (stream.time_base or 1)), stream=stream)
        pictures = tolerant(container, stream)
        for picture in pictures:
            if picture.pts in entries:
                return chain([picture], pictures), entries[picture.pts]
    return iter(()), wanted
