"""Super-resolution: a network of fixed scale, as often as it takes, then Lanczos to the wanted size, as Real-ESRGAN's
own script does; and, on request, less of what the network invents.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from restoration.engines.start import Options, Weights, upscaling_engine
from restoration.frames import Picture, Pictures, require_room, resized

OPTIONS = (
    *("outscale", "tile", "overlap", "pre_pad", "precision"),
    *("denoise_strength", "strength", "back_projection"),
)
"""Settings of the step that the stage takes as they are."""


class Upscaler:
    """Stage: enlarge pictures with the network in *weights* (a converted safetensors file).

    They become *outscale* times as large, or, where *target* (width, height) is not 0, as large as fits into it; the
    aspect stays. *tile* is the longest edge of a tile in source pixels, 0 for whole frames; *overlap* the context
    around each tile; *pre_pad* how many pixels are reflected at the right and lower border. *precision* is fp32, bf16
    or fp16, or int8 with the file *quantized*; *device* auto, cpu, cuda or mps.

    *weak_denoise* are weights of a sibling of the network that denoises less, of which 1 - *denoise_strength* is mixed
    in; *further_passes* those of the network for the second pass and later ones, by default the same.

    *strength* blends the result (1) with plain Lanczos (0); *back_projection*: see `projected`, how often.
    """

    takes_all = True

    def __init__(
        self,
        weights: Path,
        sha256: str,
        *,
        outscale: float,
        target: tuple[int, int] = (0, 0),
        tile: int = 0,
        overlap: int = 64,
        pre_pad: int = 0,
        weak_denoise: Weights | None = None,
        denoise_strength: float = 0.5,
        further_passes: Weights | None = None,
        strength: float = 1,
        back_projection: int = 0,
        precision: str = "fp32",
        quantized: Path | None = None,
        device: str = "cpu",
    ) -> None:
        how = Options(tile, overlap, precision, device, quantized)
        others = {weak_denoise: 1 - denoise_strength} if weak_denoise else {}
        self.engine = upscaling_engine(weights, sha256, how, others)
        self.later = upscaling_engine(*further_passes, how) if further_passes else self.engine
        self.outscale, self.target, self.pre_pad = outscale, target, pre_pad
        self.strength, self.back_projection = strength, back_projection

    def process(self, frames: Pictures, *, exact: bool = False) -> Pictures:
        """Enlarge pictures (n, h, w, 3 or 4) to (n, h', w', 3 or 4); see `wanted_size`.

        Alpha passes the network as a gray picture (Real-ESRGAN, `RealESRGANer.enhance`) where it changes and must grow.
        """
        height, width = frames.shape[1:3]
        wanted = wanted_size(height, width, self.outscale, self.target)
        require_room(*wanted)
        colours, alpha = self._enlarged(frames[..., :3], wanted, exact), frames[..., 3:]
        if not alpha.size:
            return colours
        if alpha.min() == alpha.max():
            alpha = np.full((*colours.shape[:3], 1), alpha.min(), alpha.dtype)
        elif alpha.shape[1:3] != wanted:
            gray = self._enlarged(np.repeat(alpha, 3, axis=3), wanted, exact)
            alpha = np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in gray])[..., None]
        return cast(Pictures, np.concatenate([colours, alpha], axis=3))

    def _enlarged(self, frames: Pictures, wanted: tuple[int, int], exact: bool) -> Pictures:
        height, width = frames.shape[1:3]
        passes = passes_to(max(wanted[0] / height, wanted[1] / width), self.engine.scale)
        factor = self.engine.scale**passes
        restored: Pictures = np.pad(frames, ((0, 0), (0, self.pre_pad), (0, self.pre_pad), (0, 0)), mode="reflect")
        for engine in (self.engine, *[self.later] * (passes - 1)):
            restored = engine(restored, exact=exact)
        restored = restored[:, : height * factor, : width * factor]
        return np.stack([self._finished(*pair, wanted) for pair in zip(frames, restored, strict=True)])

    def shrink(self, height: int, width: int) -> bool:
        """Need less memory from now on, by smaller tiles; False when that is exhausted."""
        smaller = [engine.halve_tile(height, width) for engine in {self.engine, self.later}]
        return any(smaller)

    def _finished(self, source: Picture, restored: Picture, size: tuple[int, int]) -> Picture:
        result = resized(restored, size)
        if self.strength < 1:
            plain = resized(source, size)
            result = cast(Picture, cv2.addWeighted(result, self.strength, plain, 1 - self.strength, 0))
        return projected(result, source, self.back_projection)


def upscaler_of(spec: Mapping[str, Any], weights: Sequence[Path], *, device: str) -> Upscaler:
    """The stage by the *spec* of the step upscale; *weights* are the files of its networks, in the order of theirs, and
    behind them what `quantize` wrote, if it is to be used."""
    count = len(spec["weights"])
    networks = zip(weights[:count], spec["weights"], strict=True)
    quantized = weights[count] if len(weights) > count else None
    return Upscaler(
        *next(networks),
        weak_denoise=next(networks) if "weak_denoise" in spec else None,
        further_passes=next(networks) if "further_passes" in spec else None,
        target=(spec["target_width"], spec["target_height"]),
        quantized=quantized,
        device=device,
        **{option: spec[option] for option in OPTIONS},
    )


def wanted_size(height: int, width: int, outscale: float, target: tuple[int, int]) -> tuple[int, int]:
    """The size (height, width) of a result: *outscale* times as large, or the largest that fits into *target* (width,
    height), of which 0 is any."""
    if not any(target):
        return max(1, int(height * outscale)), max(1, int(width * outscale))
    factor = min(wanted / length for wanted, length in zip(target, (width, height), strict=True) if wanted)
    return max(1, round(height * factor)), max(1, round(width * factor))


def passes_to(factor: float, scale: int) -> int:
    """How often a network that enlarges *scale* times is used to enlarge *factor* times: to the nearest power."""
    return max(1, round(math.log(factor, scale))) if scale > 1 else 1


def projected(result: Picture, source: Picture, times: int) -> Picture:
    """*result* pulled to what the *source* says of it, *times* over: what the result, made small again, lacks or has
    too much of, is added to it (iterative back-projection, Irani and Peleg 1991)."""
    height, width = source.shape[:2]
    if not times or result.shape[0] < height or result.shape[1] < width:
        return result
    picture = result.astype(np.float32)
    for _ in range(times):
        lacking = source - cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        picture += cv2.resize(lacking, result.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return cast(Picture, np.rint(picture.clip(0, np.iinfo(result.dtype).max)).astype(result.dtype))
