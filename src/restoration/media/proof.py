"""Proof of a delivered file: what was sent to the muxer, and what the source had, against what is read back."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.frames import Frame
from restoration.media.looks import froze, light_and_change, look, went_black
from restoration.media.reading import side_data
from restoration.media.timeline import Timeline

SYNC = Fraction(1, 1000)
"""Seconds by which sound may be off against the picture."""
LIKENESS = 40
"""Largest difference (of 255) of an eighth-by-eighth mean colour that lossy coding may make; black, swapped, frozen or
wrongly converted pictures differ by more."""


@dataclass(frozen=True)
class Due:
    """What a file must hold: the time in seconds and the captions of every frame, size, pixel shape and colour tags."""

    times: list[Fraction]
    captions: list[bytes]
    size: tuple[int, int]
    aspect: Fraction
    tags: dict[str, int]


class Account:
    """What went into a file, or came out of it: times and looks of the pictures; of each sound digest, first and last
    time."""

    def __init__(self) -> None:
        self.times: list[Fraction] = []
        self.looks: list[Frame] = []
        self.captions: list[bytes] = []
        self.sounds: dict[int, Any] = {}
        self.begins: dict[int, Fraction] = {}
        self.ends: dict[int, Fraction] = {}

    def seen(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass *frames* on, remembering how each looks."""
        for frame in frames:
            self.looks.append(look(frame))
            yield frame

    def note(self, packet: Packet) -> None:
        """Take down one packet."""
        index = packet.stream_index
        if not packet.size:
            return  # some encoders end with nothing
        if packet.stream.type == "video" and not packet.stream.disposition & av.stream.Disposition.attached_pic:
            self.times.append(packet.pts * packet.time_base)
        elif packet.stream.type == "audio":
            self.sounds.setdefault(index, hashlib.sha256()).update(without_adts(bytes(packet)))
            self.begins.setdefault(index, packet.pts * packet.time_base)
            self.ends[index] = packet.pts * packet.time_base

    def read(self, container: InputContainer, video: VideoStream) -> None:
        """Take down a whole file."""
        for packet in container.demux():
            self.note(packet)
            if packet.stream.index == video.index:
                for frame in packet.decode():
                    self.captions.append(side_data(frame, Type.A53_CC))
                    self.looks.append(look(frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()))

    def digests(self) -> list[str]:
        """One digest per sound, in the file's order."""
        return [digest.hexdigest() for _, digest in sorted(self.sounds.items())]


def without_adts(data: bytes) -> bytes:
    """AAC without the header that transport streams put before each packet, and muxers take away (ISO 13818-7)."""
    if len(data) > 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data


def prove(path: Path, target: Path, sent: Account, due: Due, timeline: Timeline) -> None:
    """Read *path* back; RestorationError about *target* unless all pictures are there, each at the time when it is
    *due* and looking as it was sent, with its captions, and all sound to the byte; or where a stretch is black or
    frozen that is not so in the source, of which *timeline* tells."""
    found = Account()
    with av.open(path, metadata_errors="replace") as container:
        video = container.streams.video[0]
        video.thread_type = "AUTO"
        tick = video.time_base or Fraction(0)
        found.read(container, video)
        _prove_tags(video, target, due)
    if found.digests() != sent.digests():
        raise RestorationError(f"{target}: the sound in the file is not what was put in")
    _prove_times(found, sent, due, tick, target)
    if len(found.looks) != len(sent.looks):
        raise RestorationError(f"{target}: {len(sent.looks)} frames were encoded and {len(found.looks)} can be decoded")
    for number, (expected, there) in enumerate(zip(sent.looks, found.looks, strict=True)):
        if np.abs(there.astype(int) - expected).max() > LIKENESS:
            raise RestorationError(f"{target}: frame {number} in the file does not look like what was encoded")
    if due.captions and due.captions != found.captions:
        raise RestorationError(f"{target}: the closed captions in the file are not those of the source")
    _prove_stretches(sent.looks, timeline, target)


def _prove_tags(video: VideoStream, target: Path, due: Due) -> None:
    context = video.codec_context
    found = tags_of(context), (context.width, context.height), Fraction(video.sample_aspect_ratio or 1)
    if found != (due.tags, due.size, due.aspect):
        raise RestorationError(
            f"{target}: colour tags, size and pixel shape should be {due.tags}, {due.size}, {due.aspect} and are "
            f"{', '.join(map(str, found))}"
        )


def tags_of(context: VideoCodecContext) -> dict[str, int]:
    """What a file's colour tags say."""
    return {
        "matrix": int(context.colorspace),
        "primaries": int(context.color_primaries),
        "transfer": int(context.color_trc),
        "range": int(context.color_range),
    }


def _prove_times(found: Account, sent: Account, due: Due, tick: Fraction, target: Path) -> None:
    if len(found.times) != len(due.times):
        raise RestorationError(f"{target}: {len(due.times)} frames were due and {len(found.times)} are in the file")
    found.times.sort()
    # Matroska has no negative times: sound that begins before 0 (codec delay) moves everything by the same amount.
    shift = found.times[0] - due.times[0]
    for number, (expected, there) in enumerate(zip(due.times, found.times, strict=True)):
        # Exact wherever the container can express it; Matroska's clock ticks in milliseconds.
        if abs(expected + shift - there) >= tick:
            raise RestorationError(f"{target}: frame {number} is due at {expected} s and shown at {there - shift} s")
    for what in ("begins", "ends"):
        pairs = zip(sorted(getattr(sent, what).items()), sorted(getattr(found, what).items()), strict=True)
        for (stream, expected), (_, there) in pairs:
            off = there - shift - expected
            if abs(off) > max(2 * tick, SYNC):
                raise RestorationError(f"{target}: sound stream {stream} {what} {float(off):.3f} s off")


def _prove_stretches(looks: list[Frame], timeline: Timeline, target: Path) -> None:
    """No stretch of what was encoded may be black or frozen where the source is not."""
    light, change = light_and_change(looks)
    black = np.flatnonzero(went_black(timeline.table["light"].to_numpy(), light))
    if black.size:
        raise RestorationError(f"{target}: {black.size} frames, the first {black[0]}, became black by restoration")
    for first, last in froze(timeline.table["change"].to_numpy(), change):
        raise RestorationError(f"{target}: frames {first} to {last} stand still, and move in the source")
