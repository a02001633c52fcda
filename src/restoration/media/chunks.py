"""Chunks, the intermediates: FFV1 version 3 in Matroska (RFC 9043) with a list of frame hashes beside each.

A chunk's clock is the frame index; real time lives in the timeline alone. The hash list is written first, so a chunk
under its final name always has one, and every read checks every frame against it: decoders accept damaged slices.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from restoration import journal
from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Frame, Picture, enriched, frame_hash, plain, require_room
from restoration.media.codecs import EncodeSettings, encoder_options

LOSSLESS = EncodeSettings("ffv1")
FORMATS = {
    ("uint8", 3): ("rgb24", "bgr0"),
    ("uint8", 4): ("rgba", "bgra"),
    ("uint16", 3): ("rgb48le", "gbrp16le"),
    ("uint16", 4): ("rgba64le", "gbrap16le"),
}
"""FFmpeg's names of each kind of picture: in memory, and as FFV1 stores it."""
IN_MEMORY = {stored: format for format, stored in FORMATS.values()}


def hashes_path(chunk: Path) -> Path:
    """Where the hash list of *chunk* lies."""
    return chunk.with_suffix(".hashes")


def read_hashes(chunk: Path) -> list[str]:
    """The hash of every frame of *chunk*, in order."""
    try:
        return hashes_path(chunk).read_text().split()
    except OSError as error:
        raise damaged(chunk, f"its hash list cannot be read ({error.strerror})") from error


def frames_digest(chunks: Iterable[Path]) -> str:
    """SHA-256, in hexadecimal, of the hashes of all frames of *chunks*, in order: the same however they are cut."""
    return hashlib.sha256("".join(f"{key}\n" for chunk in chunks for key in read_hashes(chunk)).encode()).hexdigest()


def write_chunk(chunk: Path, frames: Iterable[Picture], *, expected: int, source: Path | None = None) -> None:
    """Write pictures of one size and kind losslessly; *expected* ones, or nothing appears and an error is raised.

    Where *frames* were made of those that `read_chunk` gives of a *source*, they become as rich as its pictures.
    """
    if source and not _holds_frames(source):
        frames = map(enriched, frames, read_pictures(source))
    with atomic(chunk) as temporary:
        hashes = _encode(temporary, frames)
        written = _count_packets(temporary) if hashes else 0
        if not len(hashes) == written == expected:
            raise RestorationError(
                f"{chunk}: {expected} frames were due, {len(hashes)} came and {written} are in the file; "
                "is the disk full?"
            )
        with atomic(hashes_path(chunk)) as listing:
            listing.write_text("\n".join(hashes) + "\n")


def read_chunk(chunk: Path) -> Iterator[Frame]:
    """Yield what `read_pictures` does as frames."""
    return map(plain, read_pictures(chunk))


def read_pictures(chunk: Path) -> Iterator[Picture]:
    """Yield the pictures of *chunk* as they were written, each proved; RestorationError at the first that differs."""
    expected = read_hashes(chunk)
    count = 0
    try:
        with av.open(chunk, metadata_errors="replace") as container:
            container.streams.video[0].thread_type = "AUTO"
            journal.take_over(container.metadata.get(journal.TAG, ""))
            for decoded in container.decode(video=0):
                frame = decoded.to_ndarray(format=IN_MEMORY.get(decoded.format.name, "rgb24"))
                if count >= len(expected) or frame_hash(frame) != expected[count]:
                    raise damaged(chunk, f"frame {count} of the chunk is not what was written")
                yield frame
                count += 1
    except (av.FFmpegError, IndexError) as error:
        raise damaged(chunk, f"it cannot be decoded after {count} frames ({error})") from error
    if count != len(expected):
        raise damaged(chunk, f"it holds {count} frames instead of {len(expected)}")


def _holds_frames(chunk: Path) -> bool:
    """Whether the pictures of *chunk* are frames and nothing more."""
    try:
        with av.open(chunk) as container:
            return container.streams.video[0].pix_fmt == FORMATS["uint8", 3][1]
    except (av.FFmpegError, IndexError) as error:
        raise damaged(chunk, f"it cannot be decoded ({error})") from error


def _encode(path: Path, frames: Iterable[Picture]) -> list[str]:
    hashes = []
    with av.open(path, "w", format="matroska") as container:
        stream: VideoStream | None = None
        for frame in frames:
            if stream is None:
                require_room(*frame.shape[:2])
                # By now the networks that made it run.
                container.metadata[journal.TAG] = journal.told()
                height, width = frame.shape[:2]
                stream = container.add_stream("ffv1", rate=25, options=encoder_options(LOSSLESS, width, height))
                stream.height, stream.width = height, width
                format, stream.pix_fmt = FORMATS[frame.dtype.name, frame.shape[2]]
                stream.codec_context.thread_type = "SLICE"
            hashes.append(frame_hash(frame))
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format=format).reformat(
                format=stream.pix_fmt
            )
            picture.pts = len(hashes) - 1
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode())
    return hashes


def _count_packets(path: Path) -> int:
    with av.open(path) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


def damaged(chunk: Path, what: str) -> RestorationError:
    """The error for a chunk that is not what was written."""
    return RestorationError(f"{chunk}: {what}. Delete the file and run again: it is made anew.")
