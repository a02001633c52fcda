"""How a source has to be read: what its samples, fields, pixels and times mean. Decided once, by the probe.

Files lie or are silent about most of this. What a file does not say is assumed by the rules below and listed; anything
can be overridden by the user.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import av
import av.logging
import numpy as np
from av.container import InputContainer
from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.stream import VideoStream
from numpy.typing import NDArray

from restoration.errors import RestorationError
from restoration.media.codecs import FULL

MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
"""FFmpeg's name of each matrix code of ITU-T H.273."""
USER_MATRICES = {"bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020nc"}
HDR_TRANSFERS = {16: "smpte2084", 18: "arib-std-b67"}
USER_TRANSFERS = {"pq": "smpte2084", "hlg": "arib-std-b67"}
UNSAID = 0
"""FFmpeg's AVCOL_RANGE code of a file that does not say; the others are in `codecs`."""
SD_HEIGHT = 576
NTSC_HEIGHTS = (240, 480, 486)

SAMPLE_FRAMES = 150
"""Length of each run of frames that is looked at for combing."""
DECIDED_FRAMES = 20
"""Frames that `idet` must be sure of before it outweighs the flags: a still or black picture tells nothing."""
TELECINE_SHARE = 0.25
"""3:2 pulldown repeats a field in two of five frames."""
ONE_MOMENT = 0.25
"""Share of motion between pictures, over that between their fields, that `idet` may call interlaced by mistake."""


@dataclass(frozen=True)
class Reading:
    """Everything that turns packets into upright, progressive, square-pixelled RGB frames.

    *matrix* and *transfer* are FFmpeg's names; *mirrored* pictures are flipped left to right before they are turned by
    *rotation* degrees counter-clockwise; *fields* is progressive, top, bottom (the field shown first) or telecine;
    *crop* is width, height, left, top in stored pixels; *rate* (frames per second) replaces the file's times; *assumed*
    names what the file does not say.
    """

    stream: int
    matrix: str
    full_range: bool
    transfer: str
    mirrored: bool
    rotation: int
    sample_aspect_ratio: str
    fields: str
    double_rate: bool
    crop: list[int] | None
    rate: str | None
    assumed: list[str]

    @property
    def pictures_per_frame(self) -> Fraction:
        """How many coded pictures one frame of the result comes from."""
        return Fraction(5, 4) if self.fields == "telecine" else Fraction(1, 2) if self.double_rate else Fraction(1)

    def to_json(self) -> dict[str, Any]:
        """As plain types; `Reading(**that)` gives it back."""
        return asdict(self)


def choose_stream(container: InputContainer, wanted: int, name: str) -> VideoStream:
    """The wanted stream, or with -1 the real picture among several: no cover art, most pixels, then the first."""
    streams = list(container.streams.video)
    if wanted >= 0:
        for stream in streams:
            if stream.index == wanted:
                return stream
        there = ", ".join(str(s.index) for s in streams) or "none"
        raise RestorationError(f"{name}: stream {wanted} is no video stream; video streams: {there}")
    readable = [s for s in streams if s.codec_context is not None]
    if streams and not readable:
        raise RestorationError(f"{name}: no decoder is known for the video in this file")
    moving = [s for s in readable if not s.disposition & av.stream.Disposition.attached_pic]
    if not moving:
        raise RestorationError(f"{name}: there is no video in this file")
    return max(moving, key=lambda s: (s.codec_context.width * s.codec_context.height, -s.index))


def determine(container: InputContainer, stream: VideoStream, wishes: dict[str, Any], name: str) -> Reading:
    """Find out how to read *stream*; *wishes* are the user's `ingest` settings, `auto` meaning: find out.

    Decodes a sample to see whether pictures are interlaced or telecined, because the flags lie in both directions.
    Moves the container's position.
    """
    frames = list(islice(tolerant(container, stream), SAMPLE_FRAMES))
    if not frames:
        raise RestorationError(f"{name}: no frame of the video could be decoded")
    first, assumed = frames[0], list[str]()
    is_yuv = not first.format.is_rgb and first.format.name != "pal8"

    matrix = USER_MATRICES.get(wishes["matrix"]) or MATRICES.get(int(first.colorspace))
    if matrix is None:
        matrix = "bt709" if first.height > SD_HEIGHT else "smpte170m" if first.height in NTSC_HEIGHTS else "bt470bg"
        assumed += ["matrix"] * is_yuv
    full = {"full": True, "limited": False}.get(wishes["range"])
    if full is None:
        full = not is_yuv or int(first.color_range) == FULL or first.format.name.startswith("yuvj")
        assumed += ["range"] * (is_yuv and not full and int(first.color_range) == UNSAID)
    transfer = USER_TRANSFERS.get(wishes["transfer"]) or "bt709"
    if wishes["transfer"] == "auto":
        transfer = HDR_TRANSFERS.get(int(first.color_trc), "bt709")
    fields = wishes["field_order"]
    if fields == "auto":
        fields, sure = _fields(frames, stream)
        assumed += ["field_order"] * (not sure)
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    mirrored, rotation, exact = _orientation(first)
    assumed += ["rotation"] * (wishes["rotation"] == "auto" and not exact)
    return Reading(
        stream=stream.index,
        matrix=matrix,
        full_range=full,
        transfer=transfer,
        mirrored=mirrored,
        rotation=rotation if wishes["rotation"] == "auto" else int(wishes["rotation"]),
        sample_aspect_ratio=str(aspect if wishes["sar"] == "auto" else Fraction(wishes["sar"].replace(":", "/"))),
        fields=fields,
        double_rate=wishes["deinterlace"] == "double" and fields in ("top", "bottom"),
        crop=crop_box(wishes["crop"], first.width, first.height, name),
        rate=None if wishes["fps"] == "auto" else str(Fraction(wishes["fps"])),
        assumed=assumed,
    )


def tolerant(
    container: InputContainer, stream: VideoStream, damage: list[str] | None = None
) -> Iterator[av.VideoFrame]:
    """Every frame of *stream* that can be decoded; what cannot is noted in *damage* and left out.

    Decoders conceal most damage silently; only their log tells of it.
    """
    count = 0
    notes = damage if damage is not None else []
    with _complaints() as complaints:
        try:
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError as error:
                    notes.append(f"data after frame {count} cannot be decoded ({error.strerror})")
                    frames = []
                else:
                    if packet.is_corrupt:
                        notes.append(f"data after frame {count} was lost or damaged in the file")
                    elif complaints:
                        notes.append(f"near frame {count} the decoder found damage: {complaints[0][2].strip()}")
                complaints.clear()
                for frame in frames:
                    if frame.is_corrupt:
                        notes.append(f"frame {count} is damaged and was concealed by the decoder")
                    yield frame
                    count += 1
        except av.FFmpegError as error:
            notes.append(f"the file cannot be read further after frame {count} ({error.strerror})")


@contextmanager
def _complaints() -> Iterator[list[tuple[int, str, str]]]:
    """What FFmpeg reports as errors meanwhile: level, place and message."""
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture(local=False) as complaints:
            yield complaints
    finally:
        av.logging.set_level(None)


def side_data(frame: av.VideoFrame, kind: Type) -> bytes:
    """What *frame* carries of this *kind* beside its pixels, empty if nothing."""
    try:
        return bytes(frame.side_data.get(kind) or b"")
    except ValueError:
        return b""  # PyAV 18 knows no EXIF, and gives up over it


def _orientation(frame: av.VideoFrame) -> tuple[bool, int, bool]:
    """Whether the stored picture is mirrored, by how many degrees counter-clockwise it is turned after that, and
    whether the file says exactly so or means an angle in between.

    The display matrix (ISO 14496-12, 6.2.2) tells where the picture's axes go, x to (a, b) and y to (c, d); y points
    down.
    """
    matrix = np.frombuffer(side_data(frame, Type.DISPLAYMATRIX), np.int32)
    if not matrix.size:
        return False, 0, True
    a, b, c, d = (int(matrix[index]) for index in (0, 1, 3, 4))
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    exact = min(abs(a), abs(b)) == 0
    if abs(a) >= abs(b):
        return mirrored, 0 if a >= 0 else 180, exact
    return mirrored, 90 if b < 0 else 270, exact


def _fields(frames: list[av.VideoFrame], stream: VideoStream) -> tuple[str, bool]:
    """How the pictures are made of fields, and whether they told so themselves (else their flags did)."""
    flagged = sum(frame.interlaced_frame for frame in frames) > len(frames) / 2
    combed, repeated = Counter[str](), 0
    near = far = 0.0
    if frames[0].height >= 16:
        graph, before = Graph(), None
        # Packed and RGB pictures have fields, too, and `idet` knows planes only.
        graph.link_nodes(
            graph.add_buffer(template=stream, time_base=stream.time_base),
            graph.add("format", "gray"),
            graph.add("idet"),
            graph.add("buffersink"),
        ).configure()
        for frame in frames:
            graph.vpush(frame)
        graph.vpush(None)
        for seen in pulled(graph):
            verdict, luma = seen.metadata["lavfi.idet.single.current_frame"], seen.to_ndarray().astype(np.int16)
            combed[verdict] += 1
            repeated += seen.metadata["lavfi.idet.repeated.current_frame"] != "neither"
            if before is not None and verdict in ("tff", "bff"):
                own, *swapped = _combing(before, luma)
                near, far = near + min(swapped) - own, far + max(swapped) - own
            before = luma
    first = "bottom" if combed["bff"] > combed["tff"] else "top"
    # `idet` takes some patterns for fields (FFmpeg's own test pictures, for one).
    of_one_moment = far > 0 and near >= ONE_MOMENT * far
    interlaced = 0 if of_one_moment else combed["tff"] + combed["bff"]
    if interlaced + combed["progressive"] < DECIDED_FRAMES:
        return (first if flagged and not of_one_moment else "progressive"), not flagged
    if repeated > TELECINE_SHARE * combed.total() and interlaced:
        return "telecine", True
    return (first if interlaced > combed["progressive"] else "progressive"), True


def _combing(before: NDArray[np.int16], after: NDArray[np.int16]) -> tuple[float, float, float]:
    """How much neighbouring lines differ in pictures as they are, with the next top field, and with the next bottom
    field. Between two moments of interlaced video lie as long as between its pictures' fields, so one of the latter is
    like the first; fields of one moment are alike, and both of the latter differ from the first as far."""

    def comb(even: NDArray[np.int16], odd: NDArray[np.int16]) -> float:
        rows = min(len(even) - 1, len(odd))
        return float(np.abs(2 * odd[:rows] - even[:rows] - even[1 : rows + 1]).mean())

    own = (comb(before[::2], before[1::2]) + comb(after[::2], after[1::2])) / 2
    return own, comb(after[::2], before[1::2]), comb(before[::2], after[1::2])


def pulled(graph: Graph) -> Iterator[av.VideoFrame]:
    """What a filter graph has ready."""
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return


def crop_box(wish: str, picture_width: int, picture_height: int, name: str) -> list[int] | None:
    """The `ingest.crop` *wish* as width, height, left, top; RestorationError unless the stored picture holds it."""
    if wish == "none":
        return None
    width, height, left, top = map(int, wish.split(":"))
    if not (width and height) or left + width > picture_width or top + height > picture_height:
        raise RestorationError(f"{name}: crop {wish} does not fit into the picture of {picture_width}x{picture_height}")
    return [width, height, left, top]
