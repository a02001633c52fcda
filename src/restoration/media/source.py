"""Decoding a source into upright, progressive, square-pixelled RGB frames with exact times."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from math import ceil
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.frames import Frame
from restoration.media.reading import Reading, pulled, side_data, tolerant

EXACT_SCALING = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
"""Swscale's defaults trade chroma accuracy for speed; pictures go in and out once, so take the exact way."""
TELECINE_CYCLE = 5
JUMP = 10
"""Frames by which time must go back to be a jump rather than a mistake, and forward to be a mistake by itself."""


@dataclass(frozen=True)
class DecodedFrame:
    """A picture and its place in time, in units of *time_base* seconds.

    *entry* is the time, in the file's own clock, of the picture at which decoding must begin so that this frame comes
    first; None where it cannot. *captions* are CEA-608 and -708 triplets, as ATSC A/53 carries them.
    """

    pts: int
    duration: int
    time_base: Fraction
    rgb: Frame
    entry: int | None = None
    captions: bytes = b""


def require_file(path: Path) -> None:
    """Raise RestorationError unless there is a file with something in it."""
    if not path.exists():
        raise RestorationError(f"{path}: " + ("the link leads nowhere" if path.is_symlink() else "no such file"))
    if path.is_dir():
        raise RestorationError(f"{path}: this is a folder")
    if path.stat().st_size == 0:
        raise RestorationError(f"{path}: the file is empty")


@contextmanager
def open_source(path: Path, **options: str) -> Iterator[InputContainer]:
    """Open a media file for reading, with *options* of its demuxer; RestorationError says what is wrong with it."""
    require_file(path)
    try:
        # A bare name with a colon would be read as a protocol, one with a percent sign as a sequence of pictures.
        container = av.open(f"file:{path}", options={"pattern_type": "none", **options}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise RestorationError(f"{path}: cannot be read as video: {error.strerror or error}") from error
    with container:
        if container.format.name == "tty":
            raise RestorationError(f"{path}: this is a text file")
        yield container


class Clock:
    """Gives every decoded picture a time, strictly rising; counts what the file left out or got wrong.

    `times` and `said` are the times of all pictures as they were given and as the file has them, `jumps` the seconds
    by which time was set forward, each time that it jumped back.
    """

    def __init__(self, stream: VideoStream, rate: str | None) -> None:
        average = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.time_base = 1 / Fraction(rate) if rate else stream.time_base or 1 / Fraction(average)
        self.step = max(1, round(1 / (Fraction(rate or average) * self.time_base)))
        self.constant = rate is not None
        # AVI counts pictures as they are stored; times of presentation are made up for it, and go back with B-frames.
        self.stored = stream.container.format.name == "avi"
        self.times: list[int] = []
        self.said: list[int | None] = []
        self.captions: list[bytes] = []
        self.jumps: list[Fraction] = []
        self.invented = 0

    def time(self, frame: av.VideoFrame, upcoming: av.VideoFrame | None) -> int:
        """The pts of *frame*; one that is missing, not later than the last, or far beyond that of the *upcoming* frame,
        is made up and counted.

        After a jump back (a tape that was captured in parts, a transport stream's discontinuity) time goes on from
        where it was; a single wrong time is put half a step after the last, so that right ones can follow it.
        """
        self.said.append(frame.pts)
        self.captions.append(side_data(frame, Type.A53_CC))
        said, later = self._moved(frame), self._moved(upcoming)
        last = self.times[-1] if self.times else None
        following = 0 if last is None else last + self.step
        if self.constant or (said is None and self.stored):
            said = following
        elif said is None:
            self.invented += 1
            said = following
        elif last is not None:
            resumed = later if later is not None and later > last else None
            far = abs(said - last) > JUMP * self.step
            if far and said < last and resumed is None:
                self.invented += 1
                self.jumps.append((following - said) * self.time_base)
                said = following
            elif said <= last or (far and resumed is not None and said > resumed):
                self.invented += 1
                said = last + max(1, self.step // 2)
        self.times.append(said)
        return said

    def _moved(self, frame: av.VideoFrame | None) -> int | None:
        """What the file says of the time of *frame*, after the jumps so far."""
        if frame is None:
            return None
        said = frame.dts if frame.pts is None or self.stored else frame.pts
        return None if said is None else said + round(sum(self.jumps) / self.time_base)


def decode(
    container: InputContainer, stream: VideoStream, reading: Reading, damage: list[str], clock: Clock
) -> Iterator[DecodedFrame]:
    """Yield all frames of *stream* from the container's position on, normalised as *reading* says."""
    yield from normalised(tolerant(container, stream, damage), container, stream, reading, clock)


def normalised(
    pictures: Iterator[av.VideoFrame], container: InputContainer, stream: VideoStream, reading: Reading, clock: Clock
) -> Iterator[DecodedFrame]:
    """Yield the frames that the decoded *pictures* of *stream* give."""
    ratio = reading.pictures_per_frame
    for count, frame in enumerate(_filtered(pictures, container, stream, reading, clock)):
        place = count * ratio
        rgb = np.rot90(
            np.fliplr(frame.to_ndarray()) if reading.mirrored else frame.to_ndarray(), reading.rotation // 90
        )
        # With a rate of the user's own, durations in the file's clock mean nothing.
        pts, duration, time_base = frame.pts, 0 if reading.rate else frame.duration, frame.time_base
        if reading.fields == "telecine":
            pts, duration, time_base = _film_time(place, clock)
        yield DecodedFrame(
            pts,
            duration,
            time_base,
            np.ascontiguousarray(rgb),
            entry=clock.said[int(place)] if place.denominator == 1 else None,
            captions=b"".join(clock.captions[ceil(place) : ceil(place + ratio)]),
        )


def _filtered(
    pictures: Iterator[av.VideoFrame], container: InputContainer, stream: VideoStream, reading: Reading, clock: Clock
) -> Iterator[av.VideoFrame]:
    graph: Graph | None = None
    for picture, upcoming in pairwise(chain(pictures, [None])):
        if graph is None:
            graph = _normaliser(picture, stream, reading, clock.time_base)
            size = picture.width, picture.height, picture.format.name
        if (picture.width, picture.height, picture.format.name) != size:
            name, seconds = container.name.removeprefix("file:"), float((clock.times or [0])[-1] * clock.time_base)
            raise RestorationError(
                f"{name}: the picture changes its size or format at {seconds:.3f} s; split the file there"
            )
        picture.pts, picture.time_base = clock.time(picture, upcoming), clock.time_base
        graph.vpush(picture)
        yield from pulled(graph)
    if graph is not None:
        graph.vpush(None)
        yield from pulled(graph)


def _film_time(place: Fraction, clock: Clock) -> tuple[int, int, Fraction]:
    """Time, duration and their unit of the film frame at *place* among the video's pictures.

    `decimate` only counts frames; beginnings between its ticks, and gaps, would be lost.
    """
    index, unit = int(place), TELECINE_CYCLE - 1
    before = clock.times[index]
    after = clock.times[index + 1] if index + 1 < len(clock.times) else before + clock.step
    pts = unit * before + round(unit * (place - index) * (after - before))
    return pts, TELECINE_CYCLE * clock.step, clock.time_base / unit


def _normaliser(frame: av.VideoFrame, stream: VideoStream, reading: Reading, time_base: Fraction) -> Graph:
    rate = Fraction(reading.rate or stream.average_rate or 25)
    graph = Graph()
    nodes = [
        graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:"
            f"time_base={time_base.numerator}/{time_base.denominator}:frame_rate={rate.numerator}/{rate.denominator}",
        )
    ]
    order = {"top": "tff", "bottom": "bff"}.get(reading.fields, "auto")
    if reading.fields == "telecine":
        nodes += [
            graph.add("fieldmatch", "combmatch=full"),
            graph.add("bwdif", "mode=send_frame:deint=interlaced"),
            graph.add("decimate", f"cycle={TELECINE_CYCLE}"),
        ]
    elif reading.fields != "progressive":
        nodes.append(graph.add("bwdif", f"mode={'send_field' if reading.double_rate else 'send_frame'}:parity={order}"))
    if reading.crop:
        nodes.append(graph.add("crop", ":".join(map(str, [*reading.crop, 0, 1]))))
    width, height = square_size(frame.width, frame.height, reading)
    colour = f"in_color_matrix={reading.matrix}:in_range={'pc' if reading.full_range else 'tv'}:out_range=pc"
    if reading.transfer != "bt709":
        colour += f":in_transfer={reading.transfer}:in_primaries=bt2020:out_transfer=bt709:out_primaries=bt709"
    nodes += [
        graph.add("scale", f"{width}:{height}:{colour}:{EXACT_SCALING}"),
        graph.add("format", "rgb24"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph


def square_size(width: int, height: int, reading: Reading) -> tuple[int, int]:
    """Width and height of a stored picture in square pixels, once cropped; one side grows, so nothing is lost."""
    if reading.crop:
        width, height = reading.crop[:2]
    aspect = Fraction(reading.sample_aspect_ratio)
    # Even, because odd pictures do not fit into 4:2:0, which is all that many players know.
    if aspect > 1:
        return 2 * round(width * aspect / 2), height
    return (width, 2 * round(height / aspect / 2)) if aspect < 1 else (width, height)
