"""The types that everything passes on: decoded pictures."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.errors import RestorationError

Frame = NDArray[np.uint8]
"""One picture: uint8 RGB, (height, width, 3), C-contiguous."""

Frames = NDArray[np.uint8]
"""Pictures of one size: uint8 RGB, (n, height, width, 3)."""

Picture = NDArray[np.unsignedinteger]
"""A frame, or what a still image can be besides: uint8 or uint16, RGB or RGBA, (height, width, 3 or 4)."""

Pictures = NDArray[np.unsignedinteger]
"""Pictures of one size and kind: (n, height, width, 3 or 4)."""

P = TypeVar("P", bound=Picture)

BT601 = np.array([0.299, 0.587, 0.114], np.float32)
"""Shares of red, green and blue in luma."""

Box = Sequence[int]
"""A part of a picture: width, height, left, top."""

STEP = 0xFFFF // 0xFF
"""Of 16 bits, what is one step of 8."""

MOST_PIXELS = 2**31 // 8
"""FFmpeg, which keeps the intermediates, refuses pictures of as many, with 128 added to each side."""


def frame_hash(frame: Picture) -> str:
    """128-bit BLAKE2b of a frame's pixels and size, in hexadecimal: equal hashes mean equal pictures."""
    digest = hashlib.blake2b(repr(frame.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()


def eight_bits(picture: Picture) -> NDArray[np.uint8]:
    """*picture*, alpha included, rounded to 8 bits; itself if it has no more."""
    rounded = cv2.convertScaleAbs(picture, alpha=1 / STEP) if picture.dtype == np.uint16 else picture
    return cast(NDArray[np.uint8], rounded)


def plain(picture: Picture) -> Frame:
    """What *picture* shows as a frame: without alpha, rounded to 8 bits; itself if it is one."""
    frame = eight_bits(picture)
    return frame if frame.shape[2] == 3 else np.ascontiguousarray(frame[..., :3])


def enriched(frame: Frame, source: Picture) -> Picture:
    """*frame*, which was made of `plain(source)` and has its size, with what *source* has beyond that: the part of its
    samples that rounding took away, and its alpha."""
    result: Picture = frame
    if source.dtype == np.uint16:
        deep = frame.astype(np.int32)
        deep -= plain(source)
        deep *= STEP
        deep += source[..., :3]
        result = deep.clip(0, 0xFFFF, out=deep).astype(np.uint16)
    return result if source.shape[2] == 3 else cast(Picture, np.dstack([result, source[..., 3]]))


def luma(frame: Frame) -> NDArray[np.uint8]:
    """That of *frame*, (h, w)."""
    return cast(NDArray[np.uint8], cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))


def inside(frame: Frame, box: Box | None) -> Frame:
    """The part of *frame* in *box*, not copied; all of it without one."""
    if box is None:
        return frame
    width, height, left, top = box
    return frame[top : top + height, left : left + width]


def resized(picture: P, size: tuple[int, int]) -> P:
    """*picture* of *size* (height, width), by Lanczos; itself where that is its size."""
    if picture.shape[:2] == size:
        return picture
    return cast(P, cv2.resize(picture, size[::-1], interpolation=cv2.INTER_LANCZOS4))


def require_room(height: int, width: int) -> None:
    """Raise RestorationError if a picture of this size is larger than intermediates can hold."""
    if (width + 128) * (height + 128) >= MOST_PIXELS:
        raise RestorationError(
            f"a picture of {width}x{height} is too large: intermediates hold up to 268 million pixels. "
            "Lower upscale.outscale, or cut the source into parts."
        )
