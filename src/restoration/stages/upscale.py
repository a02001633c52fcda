"""Super-resolution: a network of fixed scale, then Lanczos to the wanted scale, as Real-ESRGAN's own script does."""

from pathlib import Path

import cv2
import numpy as np

from restoration.engines.torch_engine import TorchEngine
from restoration.frames import Frames, require_room
from restoration.models.load import Upscaling, load


class Upscaler:
    """Stage: enlarge frames *outscale* times with the network in *weights* (a converted safetensors file).

    *tile* is the longest edge of a tile in source pixels, 0 for whole frames; *overlap* the context around each tile.
    *precision* is fp32, bf16 or fp16; *device* auto, cpu, cuda or mps.
    """

    def __init__(
        self,
        weights: Path,
        sha256: str,
        *,
        outscale: float,
        tile: int = 0,
        overlap: int = 64,
        precision: str = "fp32",
        device: str = "cpu",
    ) -> None:
        model = load(weights, sha256)
        self.engine = engine_of(model, tile=tile, overlap=overlap, precision=precision, device=device)
        self.outscale = outscale

    def process(self, frames: Frames, *, exact: bool = False) -> Frames:
        """Enlarge uint8 (n, h, w, 3) to uint8 (n, int(h·outscale), int(w·outscale), 3)."""
        height, width = (max(1, int(length * self.outscale)) for length in frames.shape[1:3])
        require_room(height, width)
        restored = self.engine(frames, exact=exact)
        if self.outscale == self.engine.scale:
            return restored
        return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_LANCZOS4) for frame in restored])

    def shrink(self, height: int, width: int) -> bool:
        """Need less memory from now on, by smaller tiles; False when that is exhausted."""
        return self.engine.halve_tile(height, width)


def engine_of(model: Upscaling, *, tile: int, overlap: int, precision: str, device: str) -> TorchEngine:
    """The engine for a network of super-resolution."""
    return TorchEngine(
        model.network,
        scale=model.scale,
        multiple=model.multiple,
        step=model.step,
        tile=tile,
        overlap=overlap,
        precision=precision,
        device=device,
    )
