"""Proof of a delivered file: what was sent to the muxer against what is read back from the file."""

import hashlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from av.packet import Packet

from restoration.errors import RestorationError
from restoration.frames import Frame

THUMBNAIL = (8, 8)
SYNC = Fraction(1, 1000)
"""Seconds by which sound may be off against the picture."""
LIKENESS = 40
"""Largest difference (of 255) of an eighth-by-eighth mean colour that lossy coding may make; black, swapped, frozen or
wrongly converted pictures differ by more."""


class Account:
    """What went into a file, or came out of it: times and looks of the pictures, digest and begin of each sound."""

    def __init__(self) -> None:
        self.times: list[Fraction] = []
        self.looks: list[Frame] = []
        self.sounds: dict[int, Any] = {}
        self.begins: dict[int, Fraction] = {}

    def seen(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass *frames* on, remembering how each looks."""
        for frame in frames:
            self.looks.append(cast(Frame, cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA)))
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

    def digests(self) -> list[str]:
        """One digest per sound, in the file's order."""
        return [digest.hexdigest() for _, digest in sorted(self.sounds.items())]


def without_adts(data: bytes) -> bytes:
    """AAC without the header that transport streams put before each packet, and muxers take away (ISO 13818-7)."""
    if len(data) > 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data


def prove(path: Path, target: Path, sent: Account, due: list[Fraction]) -> None:
    """Read *path* back; RestorationError about *target* unless all pictures are there, each at the time when it is
    *due* and looking as it was sent, and all sound to the byte."""
    found = Account()
    with av.open(path, metadata_errors="replace") as container:
        tick = container.streams.video[0].time_base or Fraction(0)
        for packet in container.demux():
            found.note(packet)
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
        raise RestorationError(f"{target}: the sound in the file is not what was put in")
    pairs = zip(sorted(sent.begins.items()), sorted(found.begins.items()), strict=True)
    for (stream, expected), (_, there) in pairs:
        if abs(expected + shift - there) > max(2 * tick, SYNC):
            raise RestorationError(f"{target}: sound stream {stream} is {float(there - shift - expected):.3f} s off")
    _prove_looks(path, target, sent)


def _prove_looks(path: Path, target: Path, sent: Account) -> None:
    with av.open(path, metadata_errors="replace") as container:
        container.streams.video[0].thread_type = "AUTO"
        count = 0
        for count, frame in enumerate(container.decode(video=0), start=1):
            small = frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
            look = cv2.resize(small, THUMBNAIL, interpolation=cv2.INTER_AREA)
            if count > len(sent.looks) or np.abs(look.astype(int) - sent.looks[count - 1]).max() > LIKENESS:
                raise RestorationError(f"{target}: frame {count - 1} in the file does not look like what was encoded")
    if count != len(sent.looks):
        raise RestorationError(f"{target}: {len(sent.looks)} frames were encoded and {count} can be decoded")
