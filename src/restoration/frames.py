"""The type that everything passes on: decoded pictures."""

import hashlib

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""One picture: uint8 RGB, (height, width, 3), C-contiguous."""

Frames = NDArray[np.uint8]
"""Pictures of one size: uint8 RGB, (n, height, width, 3)."""


def frame_hash(frame: Frame) -> str:
    """128-bit BLAKE2b of a frame's pixels and size, in hexadecimal: equal hashes mean equal pictures."""
    digest = hashlib.blake2b(repr(frame.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(frame).data)
    return digest.hexdigest()
