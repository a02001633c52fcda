"""The codecs that results can be delivered in: encoders, what fits into which container, options."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BT709, RGB = 1, 0
"""Codes of ITU-T H.273: BT.709 for matrix, primaries and transfer; no matrix."""
LIMITED, FULL = 1, 2
"""FFmpeg's AVCOL_RANGE codes."""
SMALLEST_SLICED = 64
"""Pictures with a side below this are coded in one slice; FFV1 refuses slices of nothing."""
LARGE = 4096 * 4096
"""Pixels above which a picture needs more slices, because FFV1 refuses very large ones, too."""
THREADS = 8
"""Not the machine's number of cores: x264's and x265's bytes depend on it."""
SVT_PRESETS = {
    "ultrafast": 9, "superfast": 8, "veryfast": 8, "faster": 7, "fast": 7,
    "medium": 6, "slow": 4, "slower": 3, "veryslow": 2,
}  # fmt: skip
"""SVT-AV1's presets by the names that x264 and x265 use; it calls those from 10 on unfit for use."""
PRORES_PROFILES = {"proxy": "0", "lt": "1", "standard": "2", "hq": "3", "4444": "4"}

os.environ.setdefault("SVT_LOG", "1")  # errors only


@dataclass(frozen=True)
class EncodeSettings:
    """How a result is delivered, as the schema describes it; `sar` is square or source, bit rates are in kbit/s."""

    codec: str
    crf: int = 16
    preset: str = "medium"
    container: str = "mp4"
    bits: str = "auto"
    bitrate: int = 0
    max_bitrate: int = 0
    prores: str = "hq"
    sar: str = "square"

    @classmethod
    def of(cls, spec: dict[str, Any]) -> "EncodeSettings":
        """Those among the entries of *spec*."""
        return cls(**{name: spec[name] for name in cls.__dataclass_fields__ if name in spec})


@dataclass(frozen=True)
class Codec:
    """An encoder; *pixel_formats* by bits, for even sizes and for odd ones: x264 and x265 have no odd 4:2:0."""

    encoder: str
    containers: tuple[str, ...]
    pixel_formats: dict[str, tuple[str, str]]
    highest_crf: int = 0
    captions: bool = False
    options: tuple[tuple[str, str], ...] = ()


CODECS = {
    # The macroblock tree reads beyond its data unless the picture has a multiple of 16 macroblocks: the same frames
    # then give other bytes at each call.
    "h264": Codec(
        "libx264",
        ("mp4", "mkv", "mov"),
        {"8": ("yuv420p", "yuv444p"), "10": ("yuv420p10le", "yuv444p10le")},
        highest_crf=51,
        captions=True,
        options=(("x264-params", "mbtree=0"),),
    ),
    "h265": Codec(
        "libx265",
        ("mp4", "mkv", "mov"),
        {"8": ("yuv420p", "yuv444p"), "10": ("yuv420p10le", "yuv444p10le")},
        highest_crf=51,
        captions=True,
        options=(("x265-params", "log-level=error"),),
    ),
    "av1": Codec(
        "libsvtav1",
        ("mp4", "mkv"),
        {"8": ("yuv420p", "yuv420p"), "10": ("yuv420p10le", "yuv420p10le")},
        highest_crf=63,
    ),
    "prores": Codec("prores_ks", ("mov", "mkv"), {"10": ("yuv422p10le", "yuv422p10le")}),
    "ffv1": Codec(
        "ffv1",
        ("mkv",),
        {"8": ("bgr0", "bgr0")},
        options=(("level", "3"), ("slicecrc", "1"), ("g", "1")),
    ),
}
"""By the name that the schema knows; the first number of bits is that of `auto`."""


def misfits(settings: EncodeSettings) -> Iterator[str]:
    """What in *settings* cannot go together, each with what can."""
    codec = CODECS[settings.codec]
    if settings.container not in codec.containers:
        yield f"container: {settings.container} does not hold {settings.codec}; allowed: {', '.join(codec.containers)}"
    if settings.bits not in ("auto", *codec.pixel_formats):
        yield f"bits: {settings.codec} is made with {' or '.join(codec.pixel_formats)} bits here, not {settings.bits}"
    if codec.highest_crf and settings.crf > codec.highest_crf:
        yield f"crf: {settings.codec} knows 0 to {codec.highest_crf}, not {settings.crf}"
    if not codec.highest_crf and (settings.bitrate or settings.max_bitrate):
        yield f"bitrate: {settings.codec} has no bit rate to set"


def pixel_format(settings: EncodeSettings, width: int, height: int) -> str:
    """The pixel format of a result of this size."""
    if settings.codec == "prores" and settings.prores == "4444":
        return "yuv444p10le"
    formats = CODECS[settings.codec].pixel_formats
    even, odd = formats[next(iter(formats)) if settings.bits == "auto" else settings.bits]
    return even if width % 2 == height % 2 == 0 else odd


def encoder_options(settings: EncodeSettings, width: int, height: int) -> dict[str, str]:
    """Options of the encoder for pictures of this size, by FFmpeg's names."""
    codec = CODECS[settings.codec]
    options = dict(codec.options)
    if settings.codec == "ffv1":
        return options | {"slices": ffv1_slices(width, height)}
    if settings.codec == "prores":
        return options | {"profile": PRORES_PROFILES[settings.prores], "vendor": "apl0"}
    if not codec.highest_crf:
        return options
    options["preset"] = str(SVT_PRESETS[settings.preset]) if settings.codec == "av1" else settings.preset
    options |= {"b": f"{settings.bitrate}k"} if settings.bitrate else {"crf": str(settings.crf)}
    if settings.max_bitrate:
        options |= {"maxrate": f"{settings.max_bitrate}k", "bufsize": f"{2 * settings.max_bitrate}k"}
    return options


def ffv1_slices(width: int, height: int) -> str:
    """Into how many slices FFV1 divides a picture of this size."""
    if width * height > LARGE:
        return "64"
    return "1" if min(width, height) < SMALLEST_SLICED else "4"


def colour_tags(settings: EncodeSettings) -> dict[str, int]:
    """What the result's tags must say."""
    if settings.codec == "ffv1":
        return {"matrix": RGB, "primaries": BT709, "transfer": BT709, "range": FULL}
    return {"matrix": BT709, "primaries": BT709, "transfer": BT709, "range": LIMITED}
