"""The type that everything passes on: decoded pictures."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from restoration.errors import RestorationError

Frame = NDArray[np.uint8]
"""One picture: uint8 RGB, (height, width, 3), C-contiguous."""

Frames = NDArray[np.uint8]
"""Pictures of one size: uint8 RGB, (n, height, width, 3)."""

MOST_PIXELS = 2**31 // 8
"""FFmpeg, which keeps the intermediates, refuses pictures of as many, with 128 added to each side."""


def frame_hash(frame: Frame) -> str:
    """128-bit BLAKE2b of a frame's pixels and size, in hexadecimal: equal hashes mean equal pictures."""
    digest = hashlib.blake2b(repr(frame.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()


def require_room(height: int, width: int) -> None:
    """Raise RestorationError if a picture of this size is larger than intermediates can hold."""
    if (width + 128) * (height + 128) >= MOST_PIXELS:
        raise RestorationError(
            f"a picture of {width}x{height} is too large: intermediates hold up to 268 million pixels. "
            "Lower upscale.outscale, or cut the source into parts."
        )
