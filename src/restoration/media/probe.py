"""Probing: one decode pass that tells everything later jobs need to know about a source."""

import hashlib
import logging
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from scenedetect import FrameTimecode
from scenedetect.detectors import HashDetector

from restoration.errors import RestorationError
from restoration.frames import Frame, frame_hash
from restoration.media.source import Colour, DecodedFrame, colour, decode, open_source, video_stream
from restoration.media.timeline import Timeline

logger = logging.getLogger(__name__)

REPORT_FRAMES = 1000
SHOT_FRAMES = 12
"""Shortest shot: closer cuts are flashes and splices rather than shots."""


def probe(path: Path, *, start: float | None = None, end: float | None = None) -> tuple[dict[str, Any], Timeline]:
    """Decode *path* once; give its description (JSON types only) and its timeline.

    *start* and *end* are seconds after the first frame; a frame belongs to the excerpt if it begins in [start, end).
    Raises RestorationError when the file cannot be read whole or its frames have no usable times.
    """
    with open_source(path) as container:
        stream = video_stream(container, path)
        meaning = colour(stream)
        timeline, size = _timeline(container, stream, meaning, path, start, end)
        if end is None:
            _require_whole(container, stream, path)
        description = {
            "source": {"name": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)},
            "container": container.format.name,
            "video": {**_describe(stream), "rotated_size": size, "colour": asdict(meaning)},
            "other_streams": [_describe(s) for s in container.streams if s is not stream],
            "time_base": str(timeline.time_base),
            "frames": len(timeline.table),
            "duplicates": int((timeline.table["duplicate_of"] >= 0).sum()),
            "shots": timeline.shots(),
        }
    return description, timeline


def _timeline(
    container: InputContainer,
    stream: VideoStream,
    meaning: Colour,
    path: Path,
    start: float | None,
    end: float | None,
) -> tuple[Timeline, list[int]]:
    time_base = _time_base(stream)
    cuts, pts, hashes = Cuts(), list[int](), list[str]()
    first_pts: int | None = None
    frame: DecodedFrame | None = None
    size: tuple[int, ...] = ()
    for index, frame in enumerate(decode(container, stream, meaning)):
        if frame.pts is None or (pts and frame.pts <= pts[-1]):
            raise RestorationError(f"{path}: frame {index} has no time of its own (pts {frame.pts}); remux the file")
        first_pts = frame.pts if first_pts is None else first_pts
        seconds = float((frame.pts - first_pts) * time_base)
        if start is not None and seconds < start:
            continue
        if end is not None and seconds >= end:
            break
        if size and frame.rgb.shape[:2] != size:
            raise RestorationError(f"{path}: the picture changes its size at frame {index}; split the file there")
        size = frame.rgb.shape[:2]
        cuts.see(frame.rgb)
        pts.append(frame.pts)
        hashes.append(frame_hash(frame.rgb))
        if len(pts) % REPORT_FRAMES == 0:
            logger.info("%d frames", len(pts))
    if not pts or frame is None:
        raise RestorationError(f"{path}: no frame could be decoded" + (" between start and end" if first_pts else ""))
    last_duration = frame.duration or (pts[-1] - pts[-2] if len(pts) > 1 else 1)
    return Timeline.build(time_base, pts, last_duration, cuts.found, hashes), [size[1], size[0]]


class Cuts:
    """Finds cuts in frames that are shown one after the other, by perceptual hash: black and white, flicker and grain
    leave it alone (PySceneDetect's HashDetector)."""

    WIDTH = 320

    def __init__(self) -> None:
        self.detector = HashDetector(min_scene_len=SHOT_FRAMES)
        self.count = 0
        self.found: list[int] = []

    def see(self, rgb: Frame) -> None:
        """Look at the next frame."""
        height, width = rgb.shape[:2]
        # The detector averages down to 16 x 16 anyway; a small frame saves its full-size conversions.
        small = cv2.resize(rgb, (self.WIDTH, max(1, height * self.WIDTH // width)), interpolation=cv2.INTER_AREA)
        cuts = self.detector.process_frame(FrameTimecode(self.count, fps=25.0), np.ascontiguousarray(small[..., ::-1]))
        self.found += [cut.frame_num for cut in cuts]
        self.count += 1


def _require_whole(container: InputContainer, stream: VideoStream, path: Path) -> None:
    """Raise if the container promised more than it holds: truncated files decode without complaint."""
    container.seek(0)
    packets = [packet for packet in container.demux(stream) if packet.size]
    if len(packets) < stream.frames:
        raise RestorationError(
            f"{path}: the file is truncated: it announces {stream.frames} frames and holds {len(packets)}"
        )
    time_base = _time_base(stream)
    ends = [(p.pts + (p.duration or 0)) * time_base for p in packets if p.pts is not None]
    promised = Fraction(container.duration or 0, av.time_base) + Fraction(container.start_time or 0, av.time_base)
    others = [s for s in container.streams if s is not stream and s.type == "audio"]
    # Only without sound does the container's duration speak of the picture alone.
    if ends and not others and promised - max(ends) > 1:
        raise RestorationError(
            f"{path}: the file is truncated: it announces {float(promised):.2f} s "
            f"and its picture ends after {float(max(ends)):.2f} s"
        )


def _describe(stream: av.stream.Stream) -> dict[str, Any]:
    context = stream.codec_context
    description = {"index": stream.index, "type": stream.type, "codec": context.name if context else None}
    if isinstance(stream, VideoStream):
        description |= {
            "pixel_format": stream.pix_fmt,
            "width": stream.width,
            "height": stream.height,
            "sample_aspect_ratio": str(stream.sample_aspect_ratio or 1),
            "average_rate": str(stream.average_rate),
        }
    return description


def _time_base(stream: VideoStream) -> Fraction:
    if stream.time_base is None:
        raise RestorationError(f"stream {stream.index} has no time base")
    return stream.time_base


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
