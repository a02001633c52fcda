"""A delivered file as a viewer gets it: the picture that is shown at any time, when sound comes, what the tags say.

Nothing here trusts what was proved when the file was made: files are cut, retagged and damaged later.
"""

import io
import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
import numpy as np

from restoration.errors import RestorationError
from restoration.frames import Frame
from restoration.media.codecs import FULL, EncodeSettings, colour_tags
from restoration.media.passthrough import Passthrough
from restoration.media.proof import Account, tags_of
from restoration.media.reading import MATRICES, Reading
from restoration.media.source import Clock, decode, open_source
from restoration.media.timeline import Timeline

logger = logging.getLogger(__name__)

ROUNDING = Fraction(1, 2000)
"""Seconds by which a time may be early: Matroska counts milliseconds."""
FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""FFmpeg's names of the containers of results."""


class Playback:
    """The pictures of *path*; `decoded` counts them once all were `shown`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decoded = 0

    def shown(self, times: Iterable[Fraction]) -> Iterator[Frame]:
        """Yield the picture that is shown at each of these rising *times*, in seconds after the first picture.

        Decoded as the file's tags say. RestorationError if nothing can be decoded; what is damaged is logged.
        """
        damage: list[str] = []
        with open_source(self.path) as container:
            stream = container.streams.video[0]
            tags = tags_of(stream.codec_context)
            reading = Reading(
                stream=stream.index,
                matrix=MATRICES.get(tags["matrix"], "bt709"),
                full_range=tags["range"] == FULL,
                transfer="bt709",
                mirrored=False,
                rotation=0,
                sample_aspect_ratio=str(stream.sample_aspect_ratio or 1),
                fields="progressive",
                double_rate=False,
                crop=None,
                rate=None,
                assumed=[],
            )
            frames = decode(container, stream, reading, damage, Clock(stream, None))
            current = first = next(frames, None)
            if current is None or first is None:
                raise RestorationError(f"{self.path}: no picture can be decoded. Delete the file and run again.")
            self.decoded = 1
            upcoming = next(frames, None)
            for time in times:
                while upcoming and (upcoming.pts - first.pts) * upcoming.time_base <= time + ROUNDING:
                    current, upcoming = upcoming, next(frames, None)
                    self.decoded += 1
                yield current.rgb
            self.decoded += bool(upcoming) + sum(1 for _ in frames)
        for note in damage:
            logger.warning("DAMAGED: %s: %s", self.path.name, note)


def timing(
    path: Path,
    source: Path,
    description: dict[str, Any],
    timeline: Timeline,
    settings: EncodeSettings,
    *,
    trimmed: bool,
) -> dict[str, float | None]:
    """The measures of the whole file *path* but for `frames_off`, against its *source* and *timeline*.

    Offsets of sound are those of its first and last packets against the first picture; None where the source has none.
    """
    found, due = Account(), _due_sound(path, source, description, timeline, trimmed=trimmed)
    with open_source(path) as container:
        for packet in container.demux():
            found.note(packet)
        tags = tags_of(container.streams.video[0].codec_context)
    found.times.sort()
    start = Fraction(0) if trimmed else int(timeline.pts[0]) * timeline.time_base
    offsets = [
        abs(there - found.times[0] - (expected - start))
        for what in ("begins", "ends")
        for (_, expected), (_, there) in zip(
            sorted(getattr(due, what).items()), sorted(getattr(found, what).items()), strict=False
        )
    ]
    return {
        "time_error": _time_error(timeline.times(), [time - found.times[0] for time in found.times]),
        "audio_offset": float(max(offsets)) if offsets else None,
        "sound_changed": sum(one != other for one, other in zip_longest(due.digests(), found.digests())),
        "tags_wrong": sum(tags[name] != value for name, value in colour_tags(settings).items()),
    }


def _due_sound(path: Path, source: Path, description: dict[str, Any], timeline: Timeline, *, trimmed: bool) -> Account:
    """What sound the encoder put in, by the same way that it took; nothing is written."""
    start, end = int(timeline.pts[0]) * timeline.time_base, timeline.end * timeline.time_base
    jumps = [Fraction(jump) for jump in description["time_jumps"]]
    due = Account()
    with open_source(source) as container, av.open(io.BytesIO(), "w", format=FORMATS[path.suffix]) as nowhere:
        picture = container.streams[description["reading"]["stream"]]
        origin = start if trimmed else Fraction(0)
        for packet in Passthrough(container, nowhere, picture, origin, end if trimmed else None, jumps).packets():
            due.note(packet)
    return due


def _time_error(due: list[Fraction], found: list[Fraction]) -> float:
    """How far the worst frame is from its time, in seconds; from the nearest frame's time where some are missing."""
    if len(due) == len(found):
        return float(max(abs(one - other) for one, other in zip(due, found, strict=True)))
    wanted, there = np.array(due, float), np.array(found, float)
    right = np.searchsorted(there, wanted).clip(1, len(there) - 1) if len(there) > 1 else np.zeros(len(wanted), int)
    return float(np.minimum(np.abs(wanted - there[right]), np.abs(wanted - there[right - 1])).max())
