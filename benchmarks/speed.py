#!/usr/bin/env python3
"""How fast engines run networks, against PyTorch as it comes, the original packages, ncnn, and what is possible at all.

    python benchmarks/speed.py [--size WIDTHxHEIGHT] [--frames N] [--rounds N] [--threads N] [--out FOLDER] [NETWORK …]

A network is a model of super-resolution in config/models.yaml, deoldify-wide, deoldify-deep (both at render_factor 21)
or gfpgan; the latter three have weights by chance. All contenders see the same pictures in turn.

| column | what it says |
|---|---|
| seconds | of a picture, median |
| times | how many times as fast as the first contender, in fp32: median of the ratios picture by picture |
| times CPU | the same in seconds of the processor, which tells more on a machine that others use |
| peak | share of what this machine does in multiplying matrices of that precision, measured in turn with it |
| first | seconds that the first picture takes longer |
| PSNR | dB, to the first contender; "same" where nothing differs |
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import (
    OURS,
    PRECISIONS,
    ROOT,
    Row,
    markdown,
    median,
    parser,
    psnr,
    publish,
    read,
    say,
    squared_error,
    timed,
    times,
    times_cpu,
)
from PIL import Image
from safetensors.torch import load_file
from torch.utils.flop_counter import FlopCounterMode

import originals
from restoration.engines.engine import use
from restoration.faces.align import TEMPLATE
from restoration.faces.restore import AlignedFace, FaceRestorer
from restoration.frames import Frame, resized
from restoration.models.convert import convert
from restoration.models.face_restorers import FACE_EDGE
from restoration.models.fetch import fetch
from restoration.models.load import load
from restoration.models.registry import Model, load_registry
from restoration.pipeline.cost import Cost
from restoration.stages.colorize import Colorizer
from restoration.stages.upscale import Upscaler

Restore = Callable[[Frame], Frame]
Contender = tuple[str, Callable[[], Restore]]
"""Its name, and what makes it ready."""

NETWORKS = ["realesr-animevideov3-fp16", "RealESRGAN_x4plus-fp16", "deoldify-wide", "deoldify-deep", "gfpgan"]
RENDER_FACTOR = 21
EDGE, REPEATS = 2048, 5
"""Of the matrices whose multiplication tells the peak, and how often."""
KINDS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def main() -> None:
    """Measure and publish."""
    shared = parser(__doc__)
    shared.add_argument("networks", nargs="*", metavar="NETWORK", default=NETWORKS)
    shared.add_argument("--frames", type=int, default=1)
    shared.add_argument("--size", default="320x240")
    args = shared.parse_args()
    torch.set_num_threads(args.threads)
    width, height = map(int, args.size.split("x"))
    frames = list(read(args.clip, args.frames, (height, width)))
    about = (
        f"Networks on pictures of {args.size}, {args.threads} threads, {args.rounds} rounds of {args.frames} pictures."
    )
    tables: dict[str, list[Row]] = {}
    for name in args.networks:
        pictures = [resized(frame, (FACE_EDGE, FACE_EDGE)) for frame in frames] if name == "gfpgan" else frames
        with tempfile.TemporaryDirectory() as folder:
            tables[name] = compared(contenders(name, Path(folder), args.threads), pictures, args.rounds, args.threads)
        say(f"\n{name}\n\n{markdown(tables[name])}")
    publish(args.out, "speed", about, tables)


def compared(all_contenders: Iterator[Contender], pictures: list[Frame], rounds: int, threads: int) -> list[Row]:
    """A row for each contender that is installed."""
    ready: dict[str, Restore] = {}
    first: dict[str, Cost] = {}
    for name, make in all_contenders:
        try:
            ready[name] = make()
        except originals.MissingError as missing:
            say(f"left out: {name}: {missing}")
            continue
        first[name], _ = timed(partial(ready[name], pictures[0]))
        use(threads)
        say(f"ready: {name}, first picture: {first[name].seconds:.1f} s")
    if not ready:
        return []
    reference = next(iter(ready))
    with FlopCounterMode(display=False) as counter:
        expected = [ready[reference](picture) for picture in pictures]
    flops = counter.get_total_flops() / len(pictures)
    costs: dict[str, list[Cost]] = {name: [] for name in ready}
    errors: dict[str, list[float]] = {name: [] for name in ready}
    shares: dict[str, list[float]] = {name: [] for name in ready}
    for _ in range(rounds):
        peaks = {precision: peak(KINDS[precision]) for precision in PRECISIONS}
        for picture, wanted in zip(pictures, expected, strict=True):
            for name, restore in ready.items():
                taken, result = timed(partial(restore, picture))
                costs[name].append(taken)
                errors[name].append(squared_error(result, wanted))
                shares[name].append(
                    flops
                    / taken.seconds
                    / peaks["bf16" if name.startswith("ours") and name.endswith("bf16") else "fp32"]
                )
    return [
        {
            "engine": name,
            "seconds": median(each),
            "times": times(costs[reference], each),
            "times CPU": times_cpu(costs[reference], each),
            "peak": statistics.median(shares[name]),
            "first": first[name].seconds - median(each),
            "PSNR": psnr(statistics.mean(errors[name])),
        }
        for name, each in costs.items()
    ]


def peak(kind: torch.dtype) -> float:
    """Operations a second in multiplying matrices."""
    a, b = (torch.rand(EDGE, EDGE).to(kind) for _ in range(2))
    return 2 * EDGE**3 / min(timed(lambda: a @ b)[0].seconds for _ in range(REPEATS))


def contenders(name: str, folder: Path, threads: int) -> Iterator[Contender]:
    """Those that can run a network, the reference first; nothing where the package with its architecture is missing."""
    try:
        if name == "gfpgan":
            yield from of_faces(folder, threads)
        elif name.startswith("deoldify-"):
            yield from of_colour(name.removeprefix("deoldify-"), folder, threads)
        else:
            yield from of_super_resolution(load_registry(ROOT / "config" / "models.yaml")[name], folder, threads)
    except originals.MissingError as missing:
        say(f"left out: {name}: {missing}")


def of_super_resolution(model: Model, folder: Path, threads: int) -> Iterator[Contender]:
    """PyTorch, the package realesrgan, ncnn where the weights are in its format, and ours."""
    source, weights = fetch(model, folder), folder / f"{model.id}.safetensors"
    convert(source, model, weights)

    def as_it_comes() -> Restore:
        network = load(weights, model.sha256).network
        return by_floats(lambda picture: network(planes(picture))[0].permute(1, 2, 0).numpy())

    def packaged() -> Restore:
        torch.save({"params": load_file(weights)}, folder / "official.pth")
        network = originals.super_resolution(model.architecture)
        upsampler = originals.upsampler(model.scale or 1, folder / "official.pth", network)
        return lambda frame: upsampler.enhance(frame[..., ::-1].copy(), outscale=model.scale)[0][..., ::-1]

    def stage(precision: str) -> Restore:
        upscaler = Upscaler(weights, model.sha256, outscale=model.scale or 1, precision=precision)
        return lambda frame: upscaler.process(frame[None])[0]

    yield "PyTorch as it comes", as_it_comes
    yield "realesrgan's RealESRGANer", packaged
    if model.format == "ncnn":
        yield "ncnn", lambda: by_floats(originals.ncnn_network(source, threads))
        yield "ncnn, bf16", lambda: by_floats(originals.ncnn_network(source, threads, bf16=True))
    yield from ours(stage, threads)


def of_colour(kind: str, folder: Path, threads: int) -> Iterator[Contender]:
    """DeOldify's filter, and ours."""
    original = originals.deoldify(kind)
    weights, model = seeded("colorize", "fastai", folder)
    originals.save_by_fastai(original.learner, folder / model.filename)
    convert(folder / model.filename, model, weights)
    coloured = original.filter(learn=original.learner)

    def packaged(frame: Frame) -> Frame:
        image = Image.fromarray(frame)
        return np.asarray(coloured.filter(image, image, render_factor=RENDER_FACTOR))

    def stage(precision: str) -> Restore:
        colorizer = Colorizer({weights: model.sha256}, render_factor=RENDER_FACTOR, in_gamut=False, precision=precision)
        return lambda frame: colorizer.process(frame[None])[0]

    yield "deoldify's filter", lambda: packaged
    yield from ours(stage, threads)


def of_faces(folder: Path, threads: int) -> Iterator[Contender]:
    """GFPGAN's enhance of an aligned face, and ours."""
    network = originals.gfpgan()
    weights, model = seeded("restore_faces", "pth", folder)
    torch.save({"params_ema": network.state_dict()}, folder / model.filename)
    convert(folder / model.filename, model, weights)
    restorer = originals.face_restorer(network, originals.parsenet(), TEMPLATE, scale=1)

    def packaged(face: Frame) -> Frame:
        return restorer.enhance(face[..., ::-1], has_aligned=True, paste_back=False)[1][0][..., ::-1]

    def stage(precision: str) -> Restore:
        ours = FaceRestorer(weights, model.sha256, precision=precision)
        return lambda face: ours.restored([AlignedFace(0, face, FACE_EDGE)])[0]

    yield "gfpgan's enhance", lambda: packaged
    yield from ours(stage, threads)


def seeded(task: str, format: str, folder: Path) -> tuple[Path, Model]:
    """Where to convert weights by chance, and an entry for them."""
    return folder / "weights.safetensors", Model("original", task, 1, "MIT", format, "0" * 64, ())


def ours(stage: Callable[[str], Restore], threads: int) -> Iterator[Contender]:
    """A *stage* of this project, by each engine at each precision."""
    for engine, precision in OURS:

        def make(engine: str = engine, precision: str = precision) -> Restore:
            use(threads, engine)
            return stage(precision)

        yield f"ours, {engine} {precision}", make


def planes(picture: np.ndarray[Any, Any]) -> torch.Tensor:
    """(1, c, h, w) of (h, w, c)."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous()


def by_floats(run: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Restore:
    """A network of pictures in [0, 1], without any care for the speed of what is around it."""

    def restore(frame: Frame) -> Frame:
        with torch.no_grad():
            result = run(frame.astype(np.float32) / 255)
        return (result.clip(0, 1) * 255).round().astype(np.uint8)

    return restore


if __name__ == "__main__":
    main()
