"""The one final encode: restored pictures at the timeline's times, everything else as it was."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Frame
from restoration.media.passthrough import Entry, Passthrough
from restoration.media.proof import Account, prove
from restoration.media.source import EXACT_SCALING, open_source
from restoration.media.timeline import Timeline

ENCODERS = {"h264": ("libx264", {"x264-params": "mbtree=0"}), "h265": ("libx265", {"x265-params": "log-level=error"})}
"""Encoder and its options. x264's macroblock tree reads beyond its data unless the picture has a multiple of 16
macroblocks: the same frames then give other bytes at each call."""
ENCODER_THREADS = 8
"""Not the machine's number of cores: x264's and x265's bytes depend on it."""
OPTIONS = {".mp4": {"movflags": "+faststart", "movie_timescale": "90000"}}
"""A stream that begins later than 0 does so in units of the movie's time scale: milliseconds by default."""
BT709 = 1
"""Code of BT.709 for matrix, primaries and transfer in ITU-T H.273."""


@dataclass(frozen=True)
class EncodeSettings:
    """How the result is delivered; *crf* is the encoder's constant rate factor, lower is better and bigger."""

    codec: str
    crf: int
    preset: str


def encode(
    target: Path,
    frames: Iterable[Frame],
    timeline: Timeline,
    source: Path,
    picture: int,
    settings: EncodeSettings,
    *,
    trimmed: bool,
) -> list[Entry]:
    """Write *frames*, one for each row of *timeline*, and all else that *source* holds beside stream *picture*.

    The suffix of *target* tells the container. Times stay those of the source, in its time base; with *trimmed* they
    begin at 0 at the first frame, and what lies outside the excerpt is left out (to the packet). The file is read back
    and must hold every frame at its time, looking as it was sent, and every packet of sound, or RestorationError is
    raised and no target appears. Gives the ledger of the source's streams.
    """
    origin = int(timeline.pts[0]) * timeline.time_base if trimmed else Fraction(0)
    end = timeline.end * timeline.time_base if trimmed else None
    sent = Account()
    with atomic(target) as temporary:
        with open_source(source) as container, av.open(temporary, "w", options=OPTIONS.get(target.suffix)) as output:
            video = _encoded(output, sent.seen(counted(frames, len(timeline.pts), target)), timeline, settings, origin)
            rest = Passthrough(container, output, container.streams[picture], origin, end)
            for packet in heapq.merge(video, rest.packets(), key=_decoding_time):
                # Muxing takes the packet's bytes away.
                sent.note(packet)
                output.mux(packet)
        prove(temporary, target, sent, [int(pts) * timeline.time_base - origin for pts in timeline.pts])
    return rest.ledger


def counted(frames: Iterable[Frame], due: int, target: Path) -> Iterator[Frame]:
    """Pass *frames* on; RestorationError unless there are as many as are *due*."""
    count = 0
    for frame in frames:
        count += 1
        if count <= due:
            yield frame
    if count != due:
        raise RestorationError(f"{target}: {due} frames were due and {count} came; delete the chunks and run again")


def _encoded(
    output: OutputContainer, frames: Iterable[Frame], timeline: Timeline, settings: EncodeSettings, origin: Fraction
) -> Iterator[Packet]:
    """Add the video stream to *output* at once, and give its packets as they are asked for."""
    iterator = iter(frames)
    first = next(iterator)  # `counted` raises where there is none
    stream = _add_video_stream(output, first.shape, timeline, settings)
    return _encode_frames(stream, chain([first], iterator), timeline, origin)


def _add_video_stream(
    output: OutputContainer, shape: tuple[int, ...], timeline: Timeline, settings: EncodeSettings
) -> VideoStream:
    height, width = shape[:2]
    seconds = float((timeline.end - int(timeline.pts[0])) * timeline.time_base)
    rate = Fraction(len(timeline.pts) / seconds).limit_denominator(1001)
    encoder, options = ENCODERS[settings.codec]
    stream = output.add_stream(encoder, rate=rate)
    stream.options = options | {"crf": str(settings.crf), "preset": settings.preset}
    stream.height, stream.width = height, width
    # 4:2:0 halves both sides, so an odd picture would lose a line.
    stream.pix_fmt = "yuv420p" if height % 2 == width % 2 == 0 else "yuv444p"
    context = stream.codec_context
    stream.time_base = context.time_base = timeline.time_base
    context.thread_count, context.thread_type = ENCODER_THREADS, "FRAME"  # slices would cost quality
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = ColorRange.MPEG
    if settings.codec == "h265":
        context.codec_tag = "hvc1"  # the tag that Apple's players ask for
    return stream


def _encode_frames(
    stream: VideoStream, frames: Iterable[Frame], timeline: Timeline, origin: Fraction
) -> Iterator[Packet]:
    graph: Graph | None = None
    shift = round(origin / timeline.time_base)
    times = [int(pts) - shift for pts in timeline.pts]
    durations = dict(zip(times, timeline.table["duration"].tolist(), strict=True))
    for pts, rgb in zip(times, frames, strict=True):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame.pts, frame.time_base = pts, timeline.time_base
        if graph is None:
            graph = Graph()
            graph.link_nodes(
                graph.add_buffer(
                    width=frame.width, height=frame.height, format=frame.format, time_base=timeline.time_base
                ),
                graph.add("scale", f"out_color_matrix=bt709:out_range=tv:{EXACT_SCALING}"),
                graph.add("format", stream.pix_fmt),
                graph.add("buffersink"),
            ).configure()
        graph.vpush(frame)
        yield from _timed(stream.encode(graph.vpull()), durations)
    yield from _timed(stream.encode(), durations)


def _timed(packets: Iterable[Packet], durations: dict[int, int]) -> Iterator[Packet]:
    for packet in packets:
        packet.duration = durations[packet.pts]
        yield packet


def _decoding_time(packet: Packet) -> Fraction:
    return packet.dts * packet.time_base
