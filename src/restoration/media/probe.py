"""Probing: one decode pass that tells everything later jobs need to know about a source."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from scenedetect import FrameTimecode
from scenedetect.detectors import HashDetector

from restoration.errors import RestorationError
from restoration.frames import Frame, frame_hash
from restoration.media.identity import identify
from restoration.media.kind import is_still
from restoration.media.looks import colourfulness, content_box, light_and_change, look
from restoration.media.reading import Reading, choose_stream, determine
from restoration.media.sample import ALL, most_shots, times_of
from restoration.media.seeking import TOLERANCE, begin, decoded_from, frames_at, has_one_clock
from restoration.media.source import Clock, DecodedFrame, decode, open_source
from restoration.media.still import probe_still
from restoration.media.timeline import Timeline

logger = logging.getLogger(__name__)

REPORT_FRAMES = 1000
BRIGHTNESS_FRAMES = 10
"""Every which frame is looked at for black borders."""
NO_PIXELS = np.empty((0, 0, 3), np.uint8)
LENGTH_TOLERANCE = Fraction(1, 2)
"""Seconds by which a file may be shorter than it says: last packets have no length of their own."""
BROADCAST = ("mpegts", "mpeg")
"""Formats without an index, in which a gap in time means that pictures were lost."""
FROM_ZERO = ("matroska,webm", "nut", "asf")
"""Formats whose length counts from 0; that of others counts from the first packet."""
SHOT_FRAMES = 12
"""Shortest shot: closer cuts are flashes and splices rather than shots."""


def probe(path: Path, wishes: dict[str, Any]) -> tuple[dict[str, Any], Timeline]:
    """Decode *path* once; give its description (JSON types only) and its timeline.

    *wishes* are the `ingest` settings, with start and end in seconds after the first frame: a frame belongs to the
    excerpt if it begins in [start, end). With a `sample` the timeline lists those frames only, each a shot of its own;
    where that means times, nothing else is decoded, nor damage looked for. Damage that can be decoded around is listed
    under `damage`, or, with `strict`, raised as RestorationError, as is whatever leaves nothing to restore. *wishes*
    may hold the file's `bytes` and `sha256`.
    """
    if is_still(path):
        return probe_still(path, wishes)
    with open_source(path) as container:
        stream = choose_stream(container, wishes["stream"], str(path))
        reading = determine(container, stream, wishes, str(path))
    identity = identify(path, wishes, str(path))
    damage = list[str]()
    with open_source(path) as container:
        stream = container.streams[reading.stream]
        clock = Clock(stream, reading.rate)
        origin = None if wishes["sample"] == ALL else begin(next(decoded_from(path, reading, None)))
        seek = origin is not None and has_one_clock(path, reading.stream)
        times = times_of(wishes["sample"], wishes["start"], wishes["end"])
        if times is None or origin is None:
            seen = Seen(decode(container, stream, reading, damage, clock), path, wishes)
        else:
            seen = Seen(
                _sampled(path, reading, origin, times, wishes, seek=seek), path, wishes | {"start": None, "end": None}
            )
        if origin is not None:
            seen.set_apart(most_shots(wishes["sample"]))
        timeline, size = seen.timeline(clock), seen.size
        if container.format.name in BROADCAST and origin is None:
            damage += timeline.gaps()
        if wishes["end"] is None:
            missing = _missing(stream, path)
            if missing and wishes["truncated"] == "error":
                raise RestorationError(
                    f"{path}: {missing[0]}. Transfer it again, or restore what there is with ingest.truncated: restore"
                )
            damage += missing
        if damage and wishes["strict"]:
            raise RestorationError(f"{path}: the file is damaged, and `strict` is set: " + "; ".join(damage))
        for note in damage:
            logger.warning("DAMAGED: %s", note)
        description = {
            "source": identity,
            "container": container.format.name,
            "duration": str(Fraction(container.duration or 0, av.time_base)),
            "streams": [_describe(s) for s in container.streams],
            "reading": reading.to_json(),
            "size": list(size),
            "content": content_box(seen.brightest),
            "time_base": str(timeline.time_base),
            "times_invented": clock.invented,
            "time_jumps": [str(jump) for jump in clock.jumps],
            "skipped": seen.skipped,
            "captions": bool(timeline.table["captions"].any()),
            "suggested_crop": seen.suggested_crop(stream, reading),
            "sampled": origin is not None,
            "one_clock": seek,
            "origin": origin if origin is None else str(origin),
            "frames": len(timeline.table),
            "duplicates": int((timeline.table["duplicate_of"] >= 0).sum()),
            "shots": timeline.shots(),
            "damage": damage,
        }
    if description["suggested_crop"]:
        logger.info("NOTICE: black borders; to leave them out, set ingest.crop: %s", description["suggested_crop"])
    if reading.transfer != "bt709":
        logger.info("NOTICE: high dynamic range (%s) is mapped to standard dynamic range", reading.transfer)
    if clock.invented:
        logger.warning("%d frames had no time of their own and got one a frame after the last", clock.invented)
    return description, timeline


class Seen:
    """What is kept of every frame between start and end, and how many frames were *skipped* before."""

    def __init__(self, frames: Iterator[DecodedFrame], path: Path, wishes: dict[str, Any]) -> None:
        self.kept: list[DecodedFrame] = []
        self.hashes: list[str] = []
        self.looks: list[Frame] = []
        self.colours: list[float] = []
        self.cuts = Cuts()
        self.skipped = 0
        self.following: int | None = None
        start, end = wishes["start"], wishes["end"]
        origin: int | None = None
        for frame in frames:
            origin = frame.pts if origin is None else origin
            seconds = (frame.pts - origin) * frame.time_base
            if start is not None and seconds < Fraction(str(start)) - TOLERANCE:
                self.skipped += 1
                continue
            if end is not None and seconds >= Fraction(str(end)) - TOLERANCE:
                self.following = frame.pts
                break
            self._keep(frame)
        if not self.kept:
            what = (
                "no frame of the video could be decoded"
                if origin is None
                else "there is no frame between start and end"
            )
            raise RestorationError(f"{path}: {what}")

    def _keep(self, frame: DecodedFrame) -> None:
        if not self.kept:
            height, width = frame.rgb.shape[:2]
            self.size = width, height
            self.brightest = np.zeros((height, width), np.uint8)
        if len(self.kept) % BRIGHTNESS_FRAMES == 0:
            np.maximum(self.brightest, frame.rgb.max(axis=2), out=self.brightest)
        self.cuts.see(frame.rgb)
        self.looks.append(look(frame.rgb))
        self.colours.append(colourfulness(frame.rgb))
        self.hashes.append(frame_hash(frame.rgb))
        self.kept.append(replace(frame, rgb=NO_PIXELS))
        if len(self.kept) % REPORT_FRAMES == 0:
            logger.info("%d frames", len(self.kept))

    def set_apart(self, most: float | None) -> None:
        """Make every frame a shot of its own; before, keep only the middle ones of at most so many shots, if asked."""
        if most is not None:
            borders = [0, *self.cuts.found, len(self.kept)]
            middles = [(first + end - 1) // 2 for first, end in pairwise(borders)]
            chosen = np.linspace(0, len(middles) - 1, int(min(most, len(middles)))).round().astype(int)
            for frames in (self.kept, self.hashes, self.looks, self.colours):
                frames[:] = [frames[middles[i]] for i in chosen]
            self.following = None
        self.kept = [replace(frame, entry=None) for frame in self.kept]
        self.cuts.found = list(range(1, len(self.kept)))

    def timeline(self, clock: Clock) -> Timeline:
        """One row for each frame kept."""
        pts = [frame.pts for frame in self.kept]
        last = self.kept[-1]
        last_duration = (self.following - last.pts if self.following is not None else last.duration) or (
            pts[-1] - pts[-2] if len(pts) > 1 else 1
        )
        once = Counter(clock.said)
        light, change = light_and_change(self.looks)
        return Timeline.build(
            last.time_base,
            pts,
            last_duration,
            self.cuts.found,
            self.hashes,
            entry=[frame.entry if once[frame.entry] == 1 else None for frame in self.kept],
            light=light,
            change=change,
            colour=self.colours,
            captions=[frame.captions.hex() for frame in self.kept],
        )

    def suggested_crop(self, stream: VideoStream, reading: Reading) -> str | None:
        """The part inside black borders, as `ingest.crop` takes it; None without borders or where a crop is set."""
        if reading.crop:
            return None
        stored = np.rot90(self.brightest, -(reading.rotation // 90))
        stored = np.fliplr(stored) if reading.mirrored else stored
        box = content_box(cv2.resize(stored, (stream.width, stream.height), interpolation=cv2.INTER_AREA))
        return ":".join(map(str, box)) if box else None


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


def _sampled(
    path: Path, reading: Reading, origin: Fraction, times: Iterable[Fraction], wishes: dict[str, Any], *, seek: bool
) -> Iterator[DecodedFrame]:
    """The frames that are shown at *times* after the first one, whose own is *origin*; RestorationError where one of a
    list has none."""
    start, end = (None if wishes[key] is None else Fraction(str(wishes[key])) for key in ("start", "end"))
    listed = times if isinstance(times, list) else []
    found, last = 0, None
    for frame in frames_at(path, reading, (origin + time for time in times), seek=seek):
        found += 1
        if last is None or frame.pts > last:
            yield frame
        last = frame.pts
    lacking = [time for time in listed if (start and time < start) or (end is not None and time >= end)]
    for time in [*lacking, *listed[found:]]:
        raise RestorationError(
            f"{path}: ingest.sample: no frame is shown at {float(time):g} s in what is to be restored"
        )


def _missing(stream: VideoStream, path: Path) -> list[str]:
    """What the file announces and does not hold: truncated files decode without complaint."""
    ends, count, announced = [Fraction(0)], 0, stream.frames
    # Frames that an edit list hides are announced, too.
    with open_source(path, ignore_editlist="1") as container, suppress(av.FFmpegError):
        length = Fraction(container.duration or 0, av.time_base)
        from_zero, avi = container.format.name in FROM_ZERO, container.format.name == "avi"
        starts = list[Fraction]()
        for packet in container.demux():
            if packet.stream_index == stream.index and packet.size:
                # An AVI's clock counts pictures, also those that were dropped in capture and are not in the file.
                count = packet.dts + 1 if avi and packet.dts is not None else count + 1
            if packet.pts is not None and packet.size:
                starts.append(packet.pts * packet.time_base)
                ends.append(starts[-1] + (packet.duration or 0) * packet.time_base)
    if count < announced:
        return [f"the file is truncated: it announces {announced} frames and holds {count}"]
    found = max(ends) - (0 if from_zero else min(starts, default=Fraction(0)))
    if length - found > LENGTH_TOLERANCE:
        return [f"the file is truncated: it announces {float(length):.2f} s and holds {float(found):.2f} s"]
    return []


def _describe(stream: av.stream.Stream) -> dict[str, Any]:
    context = stream.codec_context
    description = {"index": stream.index, "type": stream.type, "codec": context.name if context else None}
    if isinstance(stream, VideoStream) and context:
        description |= {
            "pixel_format": stream.pix_fmt,
            "width": stream.width,
            "height": stream.height,
            "sample_aspect_ratio": str(stream.sample_aspect_ratio or 1),
            "average_rate": str(stream.average_rate),
        }
    return description
