"""Single frames of a video, found by time: hours of it can be looked into without decoding them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av

from restoration.media.reading import Reading, tolerant
from restoration.media.source import Clock, DecodedFrame, normalised, open_source

MARGINS = (Fraction(2), Fraction(20), None)
"""Seconds before the wanted time to seek to, tried in order: right after a seek pictures may lack those that they are
made from. None decodes from the file's beginning."""
WORTHWHILE = 5
"""Seconds to the next wanted frame from which on seeking pays; nearer ones are decoded to."""
TOLERANCE = Fraction(1, 2000)
"""Seconds by which a frame may miss the time that means it: people write milliseconds."""


def begin(frame: DecodedFrame) -> Fraction:
    """When *frame* is shown first, in seconds of the file's clock."""
    return frame.pts * frame.time_base


def has_one_clock(path: Path, stream: int) -> bool:
    """Whether the file's times always go on: after a jump back (a tape that was captured in parts) a time means two
    places. Reads all packets, and decodes none."""
    last: int | None = None
    with open_source(path) as container:
        for packet in container.demux(container.streams[stream]):
            if packet.dts is None:
                continue
            if last is not None and packet.dts < last:
                return False
            last = packet.dts
    return True


def decoded_from(path: Path, reading: Reading, time: Fraction | None) -> Iterator[DecodedFrame]:
    """Yield the frames of *path* from a place before *time* on, in seconds of its clock; None: from the beginning."""
    with open_source(path) as container:
        stream = container.streams[reading.stream]
        if time is not None:
            with suppress(av.FFmpegError):  # raw streams cannot be sought in: the file's beginning is right, too
                container.seek(int(time / stream.time_base), stream=stream)
        clock = Clock(stream, reading.rate)
        # Damage is not listed: right after a seek decoders complain of sound files.
        yield from normalised(tolerant(container, stream), container, stream, reading, clock)


def frames_at(path: Path, reading: Reading, times: Iterable[Fraction], *, seek: bool = True) -> Iterator[DecodedFrame]:
    """Yield the frame that is shown at each of *times*, in seconds of the file's clock, rising; ends with the video.

    Without *seek* everything before is decoded; so it is where times are a matter of counting from the beginning: at a
    rate of the user's own, and in film that is pulled down.
    """
    seek = seek and reading.rate is None and reading.fields != "telecine"
    run: _Run | None = None
    for time in times:
        if run is None or (seek and run.upcoming and time - begin(run.upcoming) > WORTHWHILE):
            for margin in MARGINS if seek else MARGINS[-1:]:
                place = None if margin is None else time - margin
                run = _Run(decoded_from(path, reading, place))
                if run.at(time):
                    break
        frame = run.at(time) if run else None
        if not frame or not run or run.is_over(time):
            return
        yield frame


class _Run:
    """Frames in their order, of which *shown* is the last that was asked for, and *upcoming* the next."""

    def __init__(self, frames: Iterator[DecodedFrame]) -> None:
        self.frames = frames
        self.shown: DecodedFrame | None = None
        self.upcoming = next(frames, None)

    def at(self, time: Fraction) -> DecodedFrame | None:
        """The frame that is shown at *time*; None before the first."""
        while self.upcoming and begin(self.upcoming) <= time + TOLERANCE:
            self.shown, self.upcoming = self.upcoming, next(self.frames, None)
        return self.shown

    def is_over(self, time: Fraction) -> bool:
        """Whether nothing is shown any more at *time*."""
        if self.upcoming or not self.shown:
            return False
        length = self.shown.duration * self.shown.time_base or Fraction(1, 25)
        return time >= begin(self.shown) + length
