#!/usr/bin/env python3
"""How true and how calm networks for upscaling are, with and without what makes them invent less.

    python benchmarks/fidelity.py [--clip FILE] [--frames N] [--outscale N] MODEL …

Prints a table in Markdown, of the luma of the first frames of a clip (the demo's by default):

| column | what it says |
|---|---|
| truth | PSNR (dB) of the result, made small again, to the source: how much of it is what the source says |
| sharpness | mean gradient of the result over that of plain Lanczos |
| shimmer | mean difference of neighbouring frames along the motion, over that of plain Lanczos: 1 is as calm |
"""

import tempfile
from argparse import ArgumentParser
from itertools import pairwise
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from measuring import DEMO, ROOT, read
from numpy.typing import NDArray

from restoration.engines.engine import use
from restoration.frames import Frame, resized
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.registry import load_registry
from restoration.motion import Seen, Step
from restoration.stages.upscale import Upscaler, projected

VARIANTS = {
    "as it is": (1.0, 0),
    "strength 0.7": (0.7, 0),
    "back_projection 1": (1.0, 1),
    "back_projection 3": (1.0, 3),
}


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="ids in config/models.yaml")
    parser.add_argument("--clip", type=Path, default=DEMO)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--outscale", type=float, default=4)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    use(args.threads)
    frames = list(read(args.clip, args.frames))
    height, width = frames[0].shape[:2]
    size = int(height * args.outscale), int(width * args.outscale)
    plain = [resized(frame, size) for frame in frames]
    print("| network | variant | truth (dB) | sharpness | shimmer |\n|---|---|---|---|---|")
    print(f"| Lanczos | | {truth(plain, frames):.2f} | 1.00 | 1.00 |")
    for model in args.models:
        restored = upscaled(model, frames, args.outscale)
        for name, (strength, times) in VARIANTS.items():
            results = [
                projected(cast(Frame, cv2.addWeighted(result, strength, base, 1 - strength, 0)), frame, times)
                for result, base, frame in zip(restored, plain, frames, strict=True)
            ]
            sharper, restless = (of(results) / of(plain) for of in (sharpness, lambda seen: shimmer(seen, frames)))
            print(f"| {model} | {name} | {truth(results, frames):.2f} | {sharper:.2f} | {restless:.2f} |")


def upscaled(model: str, frames: list[Frame], outscale: float) -> list[Frame]:
    """*frames* by a registered model."""
    entry = load_registry(ROOT / "config" / "models.yaml")[model]
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "weights.safetensors")
        convert(fetch(entry, Path(folder)), entry, weights)
        upscaler = Upscaler(weights, entry.sha256, outscale=outscale, tile=512)
        return [upscaler.process(frame[None])[0] for frame in frames]


def truth(results: list[Frame], frames: list[Frame]) -> float:
    """See the table above; the mean over all frames."""
    errors = [
        np.mean((cv2.resize(luma(result), frame.shape[1::-1], interpolation=cv2.INTER_AREA) - luma(frame)) ** 2)
        for result, frame in zip(results, frames, strict=True)
    ]
    return float(np.mean(10 * np.log10(255**2 / np.array(errors))))


def sharpness(frames: list[Frame]) -> float:
    """Mean length of the gradient of luma."""
    return float(np.mean([np.hypot(*np.gradient(luma(frame))).mean() for frame in frames]))


def shimmer(results: list[Frame], sources: list[Frame]) -> float:
    """Mean difference of neighbours along the motion that the sources tell, where it can be trusted."""
    seen = [Seen(frame, number, 0) for number, frame in enumerate(sources)]
    errors = []
    for (a, b), (before, after) in zip(pairwise(seen), pairwise(results), strict=True):
        step = Step(a, b, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        columns, rows, trust = step.enlarged(*after.shape[1::-1])
        moved = cv2.remap(luma(before), columns, rows, cv2.INTER_CUBIC)
        errors.append((trust * np.abs(moved - luma(after))).sum() / trust.sum())
    return float(np.mean(errors))


def luma(frame: Frame) -> NDArray[np.float32]:
    """0 to 255."""
    return cast(Frame, cv2.cvtColor(frame, cv2.COLOR_RGB2YUV))[..., 0].astype(np.float32)


if __name__ == "__main__":
    main()
