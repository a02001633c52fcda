"""The one final encode: restored pictures at the timeline's times, every other stream of sound copied untouched."""

import hashlib
import heapq
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.packet import Packet
from av.stream import Stream
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Frame
from restoration.media.source import EXACT_SCALING, open_source
from restoration.media.timeline import Timeline

logger = logging.getLogger(__name__)

ENCODERS = {"h264": ("libx264", {"x264-params": "mbtree=0"}), "h265": ("libx265", {"x265-params": "log-level=error"})}
"""Encoder and its options. x264's macroblock tree reads beyond its data unless the picture has a multiple of 16
macroblocks: the same frames then give other bytes at each call."""
ENCODER_THREADS = 8
"""Not the machine's number of cores: x264's and x265's bytes depend on it."""
OPTIONS = {".mp4": {"movflags": "+faststart"}}
BT709 = 1
"""Code of BT.709 for matrix, primaries and transfer in ITU-T H.273."""


@dataclass(frozen=True)
class EncodeSettings:
    """How the result is delivered; *crf* is the encoder's constant rate factor, lower is better and bigger."""

    codec: str
    crf: int
    preset: str


def encode(
    target: Path, frames: Iterable[Frame], timeline: Timeline, source: Path, settings: EncodeSettings, *, trimmed: bool
) -> None:
    """Write *frames*, one for each row of *timeline*, and the sound of *source* to *target*.

    The suffix of *target* tells the container. Times stay those of the source, in its time base; with *trimmed* they
    begin at 0 at the first frame, and sound outside the excerpt is left out (to the packet). The file is read back and
    must hold every frame at its time and every packet of sound, or RestorationError is raised and no target appears.
    """
    origin = int(timeline.pts[0]) * timeline.time_base if trimmed else Fraction(0)
    end = timeline.end * timeline.time_base if trimmed else None
    with atomic(target) as temporary:
        with open_source(source) as container, av.open(temporary, "w", options=OPTIONS.get(target.suffix)) as output:
            picture = _encoded(output, frames, timeline, settings, origin)
            sound = _copied(output, container, target, origin, end)
            sent = Received()
            for packet in heapq.merge(picture, sound, key=_decoding_time):
                # Muxing takes the packet's bytes away.
                sent.note(packet)
                output.mux(packet)
        _prove(temporary, target, sent, timeline, origin)


class Received:
    """Digest of every stream's payload and the times of the pictures, to compare what was sent with what is there."""

    def __init__(self) -> None:
        self.sound: dict[int, Any] = {}
        self.begins: dict[int, Fraction] = {}
        self.times: list[Fraction] = []

    def note(self, packet: Packet) -> None:
        """Take down one packet."""
        if packet.stream.type == "video":
            self.times.append(packet.pts * packet.time_base)
        else:
            self.sound.setdefault(packet.stream.index, hashlib.sha256()).update(packet)
            self.begins.setdefault(packet.stream.index, packet.pts * packet.time_base)

    def digests(self) -> list[str]:
        """One digest per stream of sound, in the file's order."""
        return [digest.hexdigest() for _, digest in sorted(self.sound.items())]


def _encoded(
    output: OutputContainer, frames: Iterable[Frame], timeline: Timeline, settings: EncodeSettings, origin: Fraction
) -> Iterator[Packet]:
    """Add the video stream to *output* at once, and give its packets as they are asked for."""
    iterator = iter(frames)
    first = next(iterator)
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
    context.thread_count = ENCODER_THREADS
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


def _copied(
    output: OutputContainer, container: InputContainer, target: Path, origin: Fraction, end: Fraction | None
) -> Iterator[Packet]:
    """Add a copy of every stream of sound to *output* at once, and give its packets as they are asked for."""
    copies: dict[int, Stream] = {}
    for stream in container.streams.audio:
        if stream.codec_context.name not in output.supported_codecs:
            raise RestorationError(
                f"{target}: sound of codec {stream.codec_context.name} does not fit into {target.suffix[1:]}; "
                "set encode.container: mkv"
            )
        copies[stream.index] = output.add_stream_from_template(stream)
        copies[stream.index].metadata.update(stream.metadata)
    for other in container.streams:
        if other.type not in ("audio", "video"):
            logger.warning("Stream %d (%s) of the source is not copied", other.index, other.type)
    return _copy_packets(container, copies, origin, end)


def _copy_packets(
    container: InputContainer, copies: dict[int, Stream], origin: Fraction, end: Fraction | None
) -> Iterator[Packet]:
    if not copies:
        return
    for packet in container.demux(container.streams.audio):
        if packet.pts is None or packet.dts is None:
            continue  # the empty packet that ends each stream
        begins = packet.pts * packet.time_base
        if end is not None and not origin <= begins < end:
            continue
        shift = round(origin / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = copies[packet.stream.index]
        yield packet


def _decoding_time(packet: Packet) -> Fraction:
    return packet.dts * packet.time_base


def _prove(path: Path, target: Path, sent: Received, timeline: Timeline, origin: Fraction) -> None:
    """Read *path* back; raise unless all pictures are there, each at its time, and all sound to the byte."""
    found = Received()
    with av.open(path) as container:
        tick = container.streams.video[0].time_base or Fraction(0)
        for packet in container.demux():
            if packet.size:
                found.note(packet)
    due = [int(pts) * timeline.time_base - origin for pts in timeline.pts]
    if len(found.times) != len(due):
        raise RestorationError(f"{target}: {len(due)} frames were due and {len(found.times)} are in the file")
    found.times.sort()
    # Matroska has no negative times: sound that begins before 0 (codec delay) moves everything by the same amount.
    shift = found.times[0] - due[0]
    for number, (expected, there) in enumerate(zip(due, found.times, strict=True)):
        # Exact wherever the container can express it; Matroska's clock ticks in milliseconds.
        if abs(expected + shift - there) >= tick:
            raise RestorationError(f"{target}: frame {number} is due at {expected} s and shown at {there - shift} s")
    if found.digests() != sent.digests():
        raise RestorationError(f"{target}: the sound in the file is not the source's")
    for (stream, expected), there in zip(sorted(sent.begins.items()), found.begins.values(), strict=True):
        if abs(expected + shift - there) > 2 * tick:
            raise RestorationError(f"{target}: sound stream {stream} is {float(there - shift - expected):.3f} s off")
