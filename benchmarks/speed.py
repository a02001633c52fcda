#!/usr/bin/env python3
"""How fast engines run a network of super-resolution, against PyTorch as it comes and against the original package.

    python benchmarks/speed.py [--clip FILE] [--frames N] [--rounds N] [--threads N] [--json FILE] MODEL …

All contenders see the same frames (of the demo's clip by default) in turn, so that what else the machine does meets all
alike. Prints a table in Markdown:

| column | what it says |
|---|---|
| seconds | of a frame, median over all |
| times | how many times as fast as PyTorch as it comes, in fp32: median of the ratios frame by frame |
| peak | share of what this machine does in multiplying matrices of that precision, measured in the same run |
| first | seconds that the first frame takes longer |
| PSNR | dB, to PyTorch in fp32; "same" where nothing differs |
"""

import json
import os
import statistics
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from restoration.engines.engine import use  # noqa: E402
from restoration.frames import Frame  # noqa: E402
from restoration.models.convert import convert  # noqa: E402
from restoration.models.fetch import fetch  # noqa: E402
from restoration.models.load import load  # noqa: E402
from restoration.models.registry import Model, load_registry  # noqa: E402
from restoration.stages.upscale import Upscaler  # noqa: E402

Upscale = Callable[[Frame], Frame]
REFERENCE = "PyTorch as it comes"
OURS = [(engine, precision) for engine in ("torch", "openvino") for precision in ("fp32", "bf16")]
EDGE, REPEATS = 2048, 5
"""Of the matrices whose multiplication tells the peak, and how often."""


@dataclass
class Row:
    """One line of the table; *peak* is a share."""

    model: str
    contender: str
    seconds: float
    times: float
    peak: float
    first: float
    psnr: float


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="ids in config/models.yaml")
    parser.add_argument("--clip", type=Path, default=ROOT / "demo" / "kinescope.mp4")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file for the same numbers")
    args = parser.parse_args()
    use(args.threads)
    with av.open(args.clip) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), args.frames)]
    peaks = {precision: peak(getattr(torch, name)) for precision, name in (("fp32", "float32"), ("bf16", "bfloat16"))}
    rows = [row for model in args.models for row in compared(model, frames, args.rounds, args.threads, peaks)]
    print(f"{frames[0].shape[1]}x{frames[0].shape[0]}, {args.threads} threads of {os.cpu_count()}; ", end="")
    print(", ".join(f"peak {precision} {flops / 1e9:.0f} GFLOP/s" for precision, flops in peaks.items()) + "\n")
    print("| model | engine | seconds | times | peak | first | PSNR |\n|---|---|---|---|---|---|---|")
    for row in rows:
        psnr = "same" if row.psnr == float("inf") else f"{row.psnr:.1f}"
        print(f"| {row.model} | {row.contender} | {row.seconds:.3f} | {row.times:.2f} |", end="")
        print(f" {row.peak:.0%} | {row.first:.1f} | {psnr} |")
    if args.json:
        args.json.write_text(json.dumps({"peaks": peaks, "rows": [asdict(row) for row in rows]}, indent=1))


def peak(kind: torch.dtype) -> float:
    """Operations a second in multiplying matrices."""
    a, b = (torch.rand(EDGE, EDGE).to(kind) for _ in range(2))
    return 2 * EDGE**3 / min(timed(lambda: a @ b)[0] for _ in range(REPEATS))


def compared(name: str, frames: list[Frame], rounds: int, threads: int, peaks: dict[str, float]) -> list[Row]:
    """A row for each contender."""
    model = load_registry(ROOT / "config" / "models.yaml")[name]
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, f"{name}.safetensors")
        convert(fetch(model, Path(folder)), model, weights)
        contenders = {REFERENCE: as_it_comes(load(weights, model.sha256).network)}
        if original := package():
            contenders["realesrgan's RealESRGANer"] = by_package(original, weights, model, Path(folder))
        for engine, precision in OURS:
            contenders[f"ours, {engine} {precision}"] = ours(weights, model, engine, precision, threads)
        first = {name: timed(partial(upscale, frames[0]))[0] for name, upscale in contenders.items()}
        with FlopCounterMode(display=False) as counter:
            reference = [contenders[REFERENCE](frame) for frame in frames]
        seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
        errors: dict[str, list[float]] = {contender: [] for contender in contenders}
        for _ in range(rounds):
            for frame, expected in zip(frames, reference, strict=True):
                for contender, upscale in contenders.items():
                    taken, result = timed(partial(upscale, frame))
                    seconds[contender].append(taken)
                    errors[contender].append(float(((result.astype(np.float64) - expected) ** 2).mean()))
    flops = counter.get_total_flops() / len(frames)
    rows = []
    for contender, each in seconds.items():
        typical, error = statistics.median(each), statistics.mean(errors[contender])
        rows.append(
            Row(
                model=name,
                contender=contender,
                seconds=typical,
                times=statistics.median(a / b for a, b in zip(seconds[REFERENCE], each, strict=True)),
                peak=flops / typical / peaks["bf16" if "bf16" in contender else "fp32"],
                first=first[contender] - typical,
                psnr=10 * np.log10(255**2 / error) if error else float("inf"),
            )
        )
    return rows


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call takes, and what it gives."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def as_it_comes(network: torch.nn.Module) -> Upscale:
    """A network without any care for its speed."""

    def upscale(frame: Frame) -> Frame:
        with torch.no_grad():
            result = network(torch.from_numpy(frame).permute(2, 0, 1)[None].contiguous().float() / 255)
        return (result[0].permute(1, 2, 0).clamp(0, 1) * 255).round().to(torch.uint8).numpy()

    return upscale


def ours(weights: Path, model: Model, engine: str, precision: str, threads: int) -> Upscale:
    """The stage of this project."""
    use(threads, engine)
    stage = Upscaler(weights, model.sha256, outscale=model.scale or 1, precision=precision)
    use(threads)
    return lambda frame: stage.process(frame[None])[0]


def package() -> ModuleType | None:
    """The original package, where it is installed (requirements-parity.txt)."""
    from torchvision.transforms.functional import rgb_to_grayscale

    # torchvision 0.17 removed the module from which basicsr takes one function.
    shim = ModuleType("torchvision.transforms.functional_tensor")
    shim.rgb_to_grayscale = rgb_to_grayscale  # type: ignore[attr-defined]
    sys.modules.setdefault(shim.__name__, shim)
    try:
        import realesrgan
    except ImportError:
        return None
    return realesrgan


def by_package(original: ModuleType, weights: Path, model: Model, folder: Path) -> Upscale:
    """Real-ESRGAN's own class, as its scripts use it on a CPU."""
    from basicsr.archs.rrdbnet_arch import RRDBNet
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact
    from safetensors.torch import load_file

    official = folder / "official.pth"
    torch.save({"params": load_file(weights)}, official)
    arguments = {key: value for key, value in model.architecture.items() if key != "name"}
    network = (
        SRVGGNetCompact(**arguments) if "upscale" in arguments else RRDBNet(num_in_ch=3, num_out_ch=3, **arguments)
    )
    upsampler = original.RealESRGANer(model.scale, str(official), model=network, pre_pad=0, half=False, device="cpu")
    return lambda frame: upsampler.enhance(frame[..., ::-1].copy(), outscale=model.scale)[0][..., ::-1]


if __name__ == "__main__":
    main()
