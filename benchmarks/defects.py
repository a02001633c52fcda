#!/usr/bin/env python3
"""What repair makes of simulated defects over a clean clip, of which the truth is known.

    python benchmarks/defects.py [--clip FILE] [--first N] [--frames N] [DEFECT …]

Prints a table in Markdown, a line for each defect alone and one for all together (of the given ones, if there are any):

| column | what it says |
|---|---|
| PSNR, SSIM | of luma against the truth, damaged → repaired; the mean over the frames that the defect hurt |
| untouched | change of PSNR (dB) of the frames without dust, which must not be lost |
| flicker | how many times less exposure varies (standard deviation of its logarithm) |
| weave | what remains of it: pixels (rms) |
| precision, recall | of the pixels that were taken for dust or scratches; those beside the truth count as right |
| ms | per frame, measured, surveyed and repaired |
"""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from measuring import DEMO, read
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from restoration.engines.engine import use
from restoration.film.defects import DEFECTS, Damaged, damage, mpeg
from restoration.film.findings import Findings
from restoration.film.survey import examined, surveyed
from restoration.frames import Frame, Frames
from restoration.media.looks import psnr
from restoration.motion import Seen
from restoration.stages.repair import repaired

OFF: dict[str, Any] = {
    "weave": "none", "flicker": 0, "dust": 0, "scratches": False, "grain": 0, "blocks": 0, "blur": 0, "halo": 0,
}  # fmt: skip
AGAINST: dict[str, dict[str, Any]] = {
    "grain": {"grain": 1},
    "dust": {"dust": 0.5},
    "scratches": {"scratches": True},
    "flicker": {"flicker": 1},
    "weave": {"weave": "fill"},
    "kinescope": {"blur": 1.2, "halo": 0.5},
    "mpeg": {"blocks": 10},
}
"""What is set against each defect."""


class Restored(NamedTuple):
    """The frames, their masks, and what was done to them."""

    frames: Frames
    masks: NDArray[np.uint8]
    findings: list[Findings]
    seconds: float


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("defects", nargs="*", choices=[*DEFECTS, []], metavar="DEFECT")
    parser.add_argument("--clip", type=Path, default=DEMO.with_name("kinescope_clean.mp4"))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--frames", type=int, default=48)
    args = parser.parse_args()
    use(2)
    truth = np.stack(list(read(args.clip, args.first + args.frames))[args.first :])
    names = args.defects or list(DEFECTS)
    print("| defect | PSNR (dB) | SSIM | untouched | flicker | weave | precision, recall | ms |\n|" + "---|" * 8)
    for some in [*([name] for name in names), *([names] if len(names) > 1 else [])]:
        damaged = damage(truth, *some)
        # Frames are not untouched as long as they are perfect: a good transfer has been compressed, too.
        damaged = damaged if "mpeg" in some else mpeg(damaged, quality=3)
        settings = OFF | {option: value for name in some for option, value in AGAINST[name].items()}
        print(
            row(", ".join(some) if some != list(DEFECTS) else "all", truth, damaged, restore(damaged.frames, settings))
        )


def restore(frames: Frames, settings: dict[str, Any]) -> Restored:
    """*frames* of one shot, as the workflow repairs them."""
    began = time.monotonic()
    shot, everything = [Seen(frame, number, 0) for number, frame in enumerate(frames)], range(len(frames))
    measured = ("moved", "changed", "lines", "noise")
    looks = json.loads(json.dumps(list(examined(shot, everything, measured))))
    _, findings = surveyed(looks, [(0, len(frames) - 1)], frames.shape[2], frames.shape[1])
    results = list(repaired(shot, everything, everything, settings, dict(enumerate(findings))))
    pictures, masks = (np.stack(arrays) for arrays in zip(*((one.frame, one.mask) for one in results), strict=True))
    return Restored(pictures, masks, findings, time.monotonic() - began)


def row(name: str, truth: Frames, damaged: Damaged, restored: Restored) -> str:
    """The line of a defect."""
    hurt = (damaged.dust | damaged.scratches).any(axis=(1, 2))
    hurt = hurt if hurt.any() else np.ones(len(truth), bool)
    before, after = (
        np.array([likeness(*pair) for pair in zip(frames, truth, strict=True)])
        for frames in (damaged.frames, restored.frames)
    )
    cells = [f"{before[hurt, i].mean():.{d}f} → {after[hurt, i].mean():.{d}f}" for i, d in ((0, 2), (1, 4))]
    whole = ~(damaged.dust | damaged.scratches).any(axis=(1, 2))
    cells.append(f"{(after - before)[whole, 0].mean():+.2f}" if whole.any() else "")
    cells.append(flicker(damaged, restored) if np.ptp(damaged.gains) else "")
    cells.append(weave(damaged, restored) if damaged.shifts.any() else "")
    cells.append(found(damaged, restored) if (damaged.dust | damaged.scratches).any() else "")
    return " | ".join(["", name, *cells, f"{restored.seconds * 1000 / len(truth):.0f}", ""]).strip()


def likeness(frame: Frame, truth: Frame) -> tuple[float, float]:
    """PSNR and SSIM of luma."""
    luma, true = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8) for picture in (frame, truth))
    return psnr(luma, true), float(structural_similarity(luma, true))  # type: ignore[no-untyped-call]


def flicker(damaged: Damaged, restored: Restored) -> str:
    """Deviation of exposure, before and after."""
    remains = np.log(damaged.gains) + [one.tone.gain for one in restored.findings]
    return (
        f"{np.log(damaged.gains).std():.4f} → {remains.std():.4f}: {np.log(damaged.gains).std() / remains.std():.1f} x"
    )


def weave(damaged: Damaged, restored: Restored) -> str:
    """What remains of it, about its mean, on the worse axis."""
    remains = damaged.shifts + [one.shift for one in restored.findings]
    return f"{remains.std(axis=0).max():.3f}"


def found(damaged: Damaged, restored: Restored) -> str:
    """Precision and recall of what was replaced, at its new place."""
    taken = restored.masks[..., :2].max(axis=-1) > 127
    true = np.stack(
        [
            cv2.warpAffine(m.astype(np.uint8), np.array([[1, 0, one.shift[0]], [0, 1, one.shift[1]]]), m.shape[::-1])
            for m, one in zip(damaged.dust | damaged.scratches, restored.findings, strict=True)
        ]
    )
    near = np.stack([cv2.dilate(m, np.ones((5, 5), np.uint8)) for m in true]) > 0
    precision = (taken & near).sum() / max(1, taken.sum())
    return f"{precision:.2f}, {(taken & (true > 0)).sum() / (true > 0).sum():.2f}"


if __name__ == "__main__":
    main()
