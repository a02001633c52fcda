"""Decoding a source: which stream, what its pixels mean, and its frames as RGB with their exact pts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.filter import Graph
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.frames import Frame

EXACT_SCALING = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
"""Swscale's defaults trade chroma accuracy for speed; pictures go in and out once, so take the exact way."""

MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020",
}
"""Swscale's name of each matrix coefficient code of ITU-T H.273, which FFmpeg's AVCOL_SPC numbers follow."""
SD_HEIGHT = 576
NTSC_HEIGHTS = (480, 486, 240)


@dataclass(frozen=True)
class Colour:
    """What the samples mean: YUV matrix and range as swscale names them; *assumed* lists what the file does not say."""

    matrix: str
    range: str
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class DecodedFrame:
    """A picture and its place in time, in units of the stream's time base."""

    pts: int | None
    duration: int
    rgb: Frame


@contextmanager
def open_source(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading; whatever is wrong with it is raised as a RestorationError that names it."""
    try:
        if not path.exists():
            raise RestorationError(f"{path}: no such file")
        if path.stat().st_size == 0:
            raise RestorationError(f"{path}: the file is empty")
        with av.open(path) as container:
            yield container
    except (av.FFmpegError, OSError) as error:
        raise RestorationError(f"{path}: cannot be read as video: {error.strerror or error}") from error


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first video stream that is not an attached picture."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.thread_type = "AUTO"
            return stream
    raise RestorationError(f"{path}: there is no video in this file")


def colour(stream: VideoStream) -> Colour:
    """Matrix and range of *stream*; untagged video is BT.601 up to 576 lines and BT.709 above, limited range."""
    context = stream.codec_context
    assumed = []
    if (matrix := MATRICES.get(context.colorspace)) is None:
        matrix = "bt709" if stream.height > SD_HEIGHT else "smpte170m" if stream.height in NTSC_HEIGHTS else "bt470bg"
        assumed.append("matrix")
    if context.color_range == ColorRange.UNSPECIFIED:
        assumed.append("range")
    full = context.color_range == ColorRange.JPEG or (context.pix_fmt or "").startswith("yuvj")
    return Colour(matrix, "pc" if full else "tv", tuple(assumed))


def decode(container: InputContainer, stream: VideoStream, meaning: Colour) -> Iterator[DecodedFrame]:
    """Yield the frames of *stream* from the container's position on, upright, as RGB."""
    graph: Graph | None = None
    for frame in container.decode(stream):
        if graph is None:
            graph = Graph()
            scale = f"in_color_matrix={meaning.matrix}:in_range={meaning.range}:out_range=pc:{EXACT_SCALING}"
            graph.link_nodes(
                graph.add_buffer(template=stream, time_base=stream.time_base),
                graph.add("scale", scale),
                graph.add("format", "rgb24"),
                graph.add("buffersink"),
            ).configure()
        pts, duration, rotation = frame.pts, frame.duration, frame.rotation
        graph.vpush(frame)
        picture = cast(Frame, graph.vpull().to_ndarray())
        yield DecodedFrame(pts, duration, np.ascontiguousarray(np.rot90(picture, rotation // 90)))
