"""The one final encode: restored pictures at the timeline's times, everything else as it was."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.files import DISK_FULL, atomic
from restoration.frames import Frame
from restoration.media.captions import with_captions
from restoration.media.codecs import (
    CODECS,
    THREADS,
    EncodeSettings,
    colour_tags,
    encoder_options,
    pixel_format,
)
from restoration.media.mark import BOXED, MATROSKA_TAG, SOURCE_TYPE, mark_video
from restoration.media.passthrough import Entry, Passthrough
from restoration.media.proof import Account, Due, prove
from restoration.media.reading import Reading
from restoration.media.source import EXACT_SCALING, open_source
from restoration.media.timeline import Timeline

QUICKTIME = {"movflags": "+faststart", "movie_timescale": "90000"}
"""A stream that begins later than 0 does so in units of the movie's time scale: milliseconds by default."""
CONTAINER_OPTIONS = {".mp4": QUICKTIME, ".mov": QUICKTIME}


@dataclass(frozen=True)
class Picture:
    """The video stream of a result: its settings, and size and pixel shape as they are stored."""

    settings: EncodeSettings
    width: int
    height: int
    aspect: Fraction

    @classmethod
    def of(cls, shape: tuple[int, ...], settings: EncodeSettings, description: dict[str, Any]) -> "Picture":
        """For square-pixelled frames of this *shape*, restored from a source of this *description*."""
        height, width = shape[:2]
        if settings.sar == "square":
            return cls(settings, width, height, Fraction(1))
        reading = Reading(**description["reading"])
        video = description["streams"][reading.stream]
        stored, aspect = reading.crop or [video["width"], video["height"]], Fraction(reading.sample_aspect_ratio)
        if reading.rotation in (90, 270):
            stored, aspect = stored[1::-1], 1 / aspect
        square = description["size"]
        return cls(settings, round(width * stored[0] / square[0]), round(height * stored[1] / square[1]), aspect)


def encode(
    target: Path,
    frames: Iterable[Frame],
    timeline: Timeline,
    source: Path,
    description: dict[str, Any],
    settings: EncodeSettings,
    *,
    trimmed: bool,
    strict: bool,
    mark: bool = False,
    seal: Callable[[Path], None] = lambda path: None,
) -> tuple[list[Entry], list[str]]:
    """Write *frames*, one for each row of *timeline*, and all else that *source* holds beside the picture.

    The suffix of *target* tells the container; *description* is the probe's. Times stay those of the source, in its
    time base; with *trimmed* they begin at 0 at the first frame, and what lies outside the excerpt is left out (to the
    packet). With *strict* damage in what is carried over is an error. With *mark* the file says that networks had a
    part in its pictures; *seal* is what is done to the whole file last, in place. The file is read back and must hold
    every frame at its time, looking as it was sent, and every packet of sound, or RestorationError is raised and no
    target appears. Gives the ledger of the source's streams, and what in them is damaged.
    """
    reading = Reading(**description["reading"])
    start = int(timeline.pts[0]) * timeline.time_base
    # What lies before 0 (a transport stream whose clock overflows) is not shown in MP4 and MOV: begin there.
    origin = start if trimmed or (start < 0 and target.suffix in CONTAINER_OPTIONS) else Fraction(0)
    end = timeline.end * timeline.time_base if trimmed else None
    jumps = [Fraction(jump) for jump in description["time_jumps"]]
    captions = timeline.table["captions"] if CODECS[settings.codec].captions else timeline.table["captions"].iloc[:0]
    sent = Account()
    iterator = counted(frames, len(timeline.pts), target)
    first = next(iterator)  # `counted` raises where there is none
    picture = Picture.of(first.shape, settings, description)
    with atomic(target) as temporary:
        # The last of what a container refuses, it refuses when it is closed.
        with (
            refusals(target, settings),
            open_source(source) as container,
            av.open(temporary, "w", options=CONTAINER_OPTIONS.get(target.suffix)) as output,
        ):
            stream = _add_video_stream(output, picture, timeline)
            video = _encoded(stream, picture, sent.seen(chain([first], iterator)), timeline, origin)
            rest = Passthrough(container, output, container.streams[reading.stream], origin, end, jumps)
            if mark and target.suffix not in BOXED:
                output.metadata[MATROSKA_TAG] = SOURCE_TYPE
            told = _captioned(video, settings.codec, dict(zip(_times(timeline, origin), captions, strict=False)))
            for packet in heapq.merge(told, rest.packets(), key=_decoding_time):
                # Muxing takes the packet's bytes away.
                sent.note(packet)
                output.mux(packet)
        if strict and rest.damage:
            raise RestorationError(f"{source}: the file is damaged, and `strict` is set: " + "; ".join(rest.damage))
        if mark and target.suffix in BOXED:
            mark_video(temporary)
        seal(temporary)
        due = Due(
            times=[time * timeline.time_base for time in _times(timeline, origin)],
            captions=[bytes.fromhex(text) for text in captions],
            size=(picture.width, picture.height),
            aspect=picture.aspect,
            tags=colour_tags(settings),
        )
        prove(temporary, target, sent, due, timeline)
    return rest.ledger + _captions_entry(timeline, reading.stream, settings.codec), rest.damage


def counted(frames: Iterable[Frame], due: int, target: Path) -> Iterator[Frame]:
    """Pass *frames* on; RestorationError unless there are as many as are *due*."""
    count = 0
    for frame in frames:
        count += 1
        if count <= due:
            yield frame
    if count != due:
        raise RestorationError(f"{target}: {due} frames were due and {count} came; delete the chunks and run again")


@contextmanager
def refusals(target: Path, settings: EncodeSettings) -> Iterator[None]:
    """Say what an encoder or a container refuses, which their own errors do not."""
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in DISK_FULL:
            raise
        raise RestorationError(
            f"{target}: {settings.codec} with these settings cannot be written ({error}). "
            "Choose another encode.codec or encode.container, or leave a stream out."
        ) from error


def _times(timeline: Timeline, origin: Fraction) -> list[int]:
    """When each frame is shown in the result, in the timeline's time base."""
    return (timeline.pts - round(origin / timeline.time_base)).tolist()


def _add_video_stream(output: OutputContainer, picture: Picture, timeline: Timeline) -> VideoStream:
    settings = picture.settings
    seconds = float((timeline.end - int(timeline.pts[0])) * timeline.time_base)
    rate = Fraction(len(timeline.pts) / seconds).limit_denominator(1001)
    stream = output.add_stream(CODECS[settings.codec].encoder, rate=rate)
    stream.options = encoder_options(settings, picture.width, picture.height)
    stream.width, stream.height = picture.width, picture.height
    stream.pix_fmt = pixel_format(settings, picture.width, picture.height)
    context = stream.codec_context
    stream.time_base = context.time_base = timeline.time_base
    context.sample_aspect_ratio = picture.aspect
    context.thread_count = THREADS
    context.thread_type = "SLICE" if settings.codec == "ffv1" else "FRAME"  # slices would cost the others quality
    tags = colour_tags(settings)
    context.colorspace, context.color_primaries = tags["matrix"], tags["primaries"]
    context.color_trc, context.color_range = tags["transfer"], tags["range"]
    if settings.codec == "h265":
        context.codec_tag = "hvc1"  # the tag that Apple's players ask for
    return stream


def _encoded(
    stream: VideoStream, picture: Picture, frames: Iterable[Frame], timeline: Timeline, origin: Fraction
) -> Iterator[Packet]:
    graph: Graph | None = None
    times = _times(timeline, origin)
    durations = dict(zip(times, timeline.table["duration"].tolist(), strict=True))
    for pts, rgb in zip(times, frames, strict=True):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame.pts, frame.time_base = pts, timeline.time_base
        if graph is None:
            graph = _converter(frame, picture, stream.pix_fmt)
        graph.vpush(frame)
        yield from _timed(stream.encode(graph.vpull()), durations)
    yield from _timed(stream.encode(), durations)


def _converter(frame: av.VideoFrame, picture: Picture, pixel_format: str) -> Graph:
    graph = Graph()
    size = f"{picture.width}:{picture.height}"
    colour = "" if picture.settings.codec == "ffv1" else "out_color_matrix=bt709:out_range=tv:"
    graph.link_nodes(
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base),
        graph.add("scale", f"{size}:{colour}{EXACT_SCALING}"),
        graph.add("setsar", f"{picture.aspect.numerator}/{picture.aspect.denominator}"),
        # Some encoders write what the frames say, not the stream.
        graph.add("setparams", "color_primaries=bt709:color_trc=bt709"),
        graph.add("format", pixel_format),
        graph.add("buffersink"),
    ).configure()
    return graph


def _timed(packets: Iterable[Packet], durations: dict[int, int]) -> Iterator[Packet]:
    for packet in packets:
        packet.duration = durations[packet.pts]
        yield packet


def _captioned(packets: Iterable[Packet], codec: str, captions: dict[int, str]) -> Iterator[Packet]:
    """The same packets; those of pictures with *captions* (hexadecimal, by pts) carry them."""
    for packet in packets:
        text = captions.get(packet.pts)
        if text and packet.size:
            told = Packet(with_captions(codec, bytes(packet), bytes.fromhex(text)))
            told.pts, told.dts, told.duration, told.time_base = (
                packet.pts,
                packet.dts,
                packet.duration,
                packet.time_base,
            )
            told.stream, told.is_keyframe = packet.stream, packet.is_keyframe
            packet = told
        yield packet


def _captions_entry(timeline: Timeline, stream: int, codec: str) -> list[Entry]:
    """What became of closed captions inside the picture, where there are any."""
    if not timeline.table["captions"].any():
        return []
    if CODECS[codec].captions:
        return [Entry(stream, "captions", "eia_608", "copied")]
    return [
        Entry(stream, "captions", "eia_608", "dropped", f"{codec} is written without them; h264 and h265 have them")
    ]


def _decoding_time(packet: Packet) -> Fraction:
    return packet.dts * packet.time_base
