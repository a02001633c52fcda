"""Makes small clips of every awkward kind for the tests: nothing is downloaded, nothing is random."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from restoration.media.reading import Reading, choose_stream, determine
from restoration.media.source import Clock, decode, open_source

CONFIG_SCHEMA = Path(__file__).parents[1] / "workflow" / "schemas" / "config.schema.yaml"
WIDTH, HEIGHT = 64, 48
SAMPLE_RATE = 48000

LONG_GOP = {"g": "250", "bf": "3", "x264-params": "scenecut=0:keyint=250:min-keyint=250"}
OPEN_GOP = {"g": "8", "bf": "3", "x264-params": "open-gop=1:scenecut=0:keyint=8:min-keyint=8:b-adapt=0"}
B_FRAMES = {"g": "8", "bf": "3", "x264-params": "scenecut=0:keyint=8:min-keyint=8:b-adapt=0"}
INTRA = {"g": "1", "bf": "0"}


@dataclass(frozen=True)
class Tone:
    """A track of sound: *seconds* of a sine, beginning at *start* seconds."""

    codec: str = "aac"
    hertz: float = 440.0
    seconds: float = 1.0
    start: float = 0.0
    language: str = "und"
    rate: int = SAMPLE_RATE


def wishes(**chosen: Any) -> dict[str, Any]:
    """What a probe is asked for: the defaults of the `ingest` settings and the whole video, under what was *chosen*."""
    assert chosen.keys() <= ingest_defaults().keys() | {"start", "end"}, chosen
    return ingest_defaults() | {"start": None, "end": None} | chosen


@cache
def ingest_defaults() -> dict[str, Any]:
    """The defaults of the schema."""
    options = yaml.safe_load(CONFIG_SCHEMA.read_text(encoding="utf-8"))["$defs"]["ingest"]["properties"]
    return {option: about["default"] for option, about in options.items()}


def pictures(
    count: int = 24, width: int = WIDTH, height: int = HEIGHT, *, shots: int = 1, gray: bool = False
) -> NDArray[np.uint8]:
    """uint8 RGB (n, h, w, 3): a small square wanders over a still pattern; every frame differs from every other.

    The *shots*, of equal length, have patterns of large soft blobs that are unlike each other's.
    """
    frames = np.empty((count, height, width, 3), np.uint8)
    for shot in range(shots):
        blobs = np.random.default_rng(shot).integers(30, 200, (5, 7, 3)).astype(np.float32)
        pattern = cv2.resize(blobs, (width, height), interpolation=cv2.INTER_CUBIC).clip(16, 224).astype(np.uint8)
        frames[count * shot // shots : count * (shot + 1) // shots] = pattern
    for index, frame in enumerate(frames):
        top, left = index * 3 % max(1, height - 4), index * 5 % max(1, width - 4)
        frame[top : top + 4, left : left + 4] = 235 - index % 50
    return np.repeat(frames[..., 1:2], 3, axis=-1) if gray else frames


def panned(count, width=96, height=64):
    """A camera that pans over soft gray blobs: every line moves, as idet needs it."""
    blobs = np.random.default_rng(5).integers(40, 220, (height // 4 + 2, (width + 3 * count) // 4 + 2))
    wall = cv2.resize(blobs.astype(np.float32), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).clip(16, 235)
    views = np.stack([wall[:height, 3 * index : 3 * index + width] for index in range(count)])
    return views.astype(np.uint8)[..., None].repeat(3, axis=-1)


def woven(upper, lower):
    """Frames with the even lines of *upper* and the odd ones of *lower*."""
    frames = upper.copy()
    frames[:, 1::2] = lower[:, 1::2]
    return frames


def interlaced(moments, first="top"):
    """Two moments in each frame."""
    return woven(moments[::2], moments[1::2]) if first == "top" else woven(moments[1::2], moments[::2])


def telecined(film, first="top"):
    """Four film frames in five of video, by 3:2 pulldown."""
    a, b, c, d = (film[index::4] for index in range(4))
    mixed = [woven(b, c), woven(c, d)] if first == "top" else [woven(c, b), woven(d, c)]
    return np.stack([a, b, *mixed, d], axis=1).reshape(-1, *film.shape[1:])


def write_clip(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: Fraction | int = 25,
    time_base: Fraction | None = None,
    pts: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    sound: Sequence[Tone] = (),
    rotation: int = 0,
    aspect: Fraction | None = None,
    bt709: bool = True,
    title: str = "",
) -> Path:
    """Write *frames* at *pts* (in *time_base*, by default one per 1/*rate* s) with tracks of *sound*; return *path*."""
    frames = list(frames)
    rate = Fraction(rate)
    time_base = time_base or 1 / rate
    pts = range(len(frames)) if pts is None else pts
    with av.open(path, "w", options=container_options or {}) as container:
        if title:
            container.metadata["title"] = title
        stream = container.add_stream(codec, rate=rate, options={"threads": "1"} | (options or {}))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = time_base
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if bt709:
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = 1
            context.color_range = 1
        if rotation:
            stream.set_display_rotation(rotation)
        tracks = [(_add_track(container, tone), tone) for tone in sound]
        for when, rgb in zip(pts, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace="ITU709" if bt709 else None)
            frame.pts, frame.time_base = when, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for track, tone in tracks:
            _play(container, track, tone)
    return path


def _add_track(container, tone: Tone):
    track = container.add_stream(tone.codec, rate=tone.rate)
    track.layout = "mono"
    track.metadata["language"] = tone.language
    return track


def _play(container, track, tone: Tone) -> None:
    time = np.arange(int(tone.seconds * tone.rate)) / tone.rate
    wave = (8000 * np.sin(2 * np.pi * tone.hertz * time)).astype(np.int16)
    for first in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, first : first + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = tone.rate, Fraction(1, tone.rate)
        frame.pts = first + round(tone.start * tone.rate)
        container.mux(track.encode(frame))
    container.mux(track.encode())


def read_as(path: Path, **chosen: Any) -> Reading:
    """How *path* is read when the user has *chosen* these `ingest` settings."""
    with open_source(path) as container:
        stream = choose_stream(container, wishes(**chosen)["stream"], str(path))
        return determine(container, stream, wishes(**chosen), str(path))


def decoded(path: Path, **chosen: Any) -> NDArray[np.uint8]:
    """All pictures of *path*, as every part of the workflow sees them."""
    reading = read_as(path, **chosen)
    with open_source(path) as container:
        stream = container.streams[reading.stream]
        frames = decode(container, stream, reading, [], Clock(stream, reading.rate))
        return np.stack([frame.rgb for frame in frames])


def video_times(path: Path) -> list[Fraction]:
    """Exact presentation times in seconds of all decoded frames."""
    with av.open(path) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def sound_packets(path: Path) -> list[list[tuple[Fraction, bytes]]]:
    """Time and bytes of every packet, by track."""
    with av.open(path) as container:
        tracks: dict[int, list[tuple[Fraction, bytes]]] = {stream.index: [] for stream in container.streams.audio}
        for packet in container.demux():
            if packet.size and packet.stream.index in tracks:
                tracks[packet.stream.index].append((packet.pts * packet.time_base, bytes(packet)))
        return list(tracks.values())


def packet_bytes(path: Path) -> list[bytes]:
    """Bytes of every packet of the picture, in the file's order."""
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]
