"""A network of super-resolution in 8 bits, fitted to frames that it will see, and how far from the true one it is."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from restoration.engines.openvino_model import write_quantized
from restoration.engines.start import Options, prepared, upscaling_engine
from restoration.files import atomic
from restoration.frames import Frame
from restoration.media.chunks import read_chunk, read_hashes
from restoration.media.looks import psnr
from restoration.pipeline.plan import spread

logger = logging.getLogger(__name__)

SAMPLES = 12
"""Frames that it is fitted to."""
EDGE = 256
"""Largest height and width, in pixels, of the part of them that is looked at: the middle."""


def quantize(weights: Path, sha256: str, chunks: Sequence[Path], target: Path) -> None:
    """Write the network in *weights* (a converted safetensors file) to *target*, fitted to frames of *chunks*; log how
    far its answer is from that in fp32, for a frame that it was not fitted to.

    Raises RestorationError where OpenVINO or NNCF is missing, or the network is none for pictures of any size.
    """
    seen = samples(chunks)
    unseen = seen.pop(len(seen) // 2)
    exact = upscaling_engine(weights, sha256, Options(tile=0, overlap=0, precision="fp32", device="cpu"))
    with atomic(target) as temporary:
        write_quantized(prepared(weights), sha256, np.stack(seen or [unseen]), temporary)
        options = Options(tile=0, overlap=0, precision="int8", device="cpu", quantized=temporary)
        draft = upscaling_engine(weights, sha256, options)
        (wanted,), (found,) = exact(unseen[None]), draft(unseen[None])
        logger.warning(
            "NOTICE: precision: int8 is a draft: %.1f dB (PSNR) from fp32 in a frame that it was %sfitted to",
            psnr(wanted, found),
            "not " if seen else "",
        )


def samples(chunks: Sequence[Path]) -> list[Frame]:
    """The middle of frames all over *chunks*: one more than `SAMPLES`, or as many as there are."""
    each = -(-(SAMPLES + 1) // len(chunks))
    places = {chunk: spread(range(len(read_hashes(chunk))), each) for chunk in chunks}
    found = [_middle(frame) for chunk in chunks for at, frame in enumerate(read_chunk(chunk)) if at in places[chunk]]
    return found[: SAMPLES + 1]


def _middle(frame: Frame) -> Frame:
    top, left = (max(0, (length - EDGE) // 2) for length in frame.shape[:2])
    return frame[top : top + EDGE, left : left + EDGE].copy()  # the rest is not to be kept
