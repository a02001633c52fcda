#!/usr/bin/env python3
"""Loops that jobs are measured against, each to be run in a process of its own.

    python benchmarks/loops.py save     MODEL WEIGHTS.safetensors OFFICIAL.pth
    python benchmarks/loops.py official MODEL OFFICIAL.pth CLIP RESULT
    python benchmarks/loops.py bare     MODEL WEIGHTS.safetensors CLIP

`official` is that of Real-ESRGAN's inference_realesrgan_video.py: decode a frame, enhance it, encode it, and only then
the next. `bare` prints the seconds that a frame takes in our engine alone. `save` writes our weights in the official
layout. MODEL is one of super-resolution in config/models.yaml.
"""

from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path

import torch
from jobs import CRF, PRESET, REGISTRY, SCALE, write_video
from measuring import median, read, timed
from safetensors.torch import load_file

import originals
from restoration.engines.engine import use
from restoration.models.registry import load_registry
from restoration.stages.upscale import Upscaler

MOST = 8
"""Frames that `bare` looks at."""


def main() -> None:
    """Do one of them."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["save", "official", "bare"])
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engine", default="torch")
    parser.add_argument("--precision", default="fp32")
    args = parser.parse_args()
    {"save": save, "official": official, "bare": bare}[args.what](args)


def save(args: Namespace) -> None:
    """See above."""
    weights, target = args.files
    torch.save({"params": load_file(weights)}, target)


def official(args: Namespace) -> None:
    """See above."""
    weights, clip, target = args.files
    torch.set_num_threads(args.threads)
    network = originals.super_resolution(load_registry(REGISTRY)[args.model].architecture)
    upsampler = originals.upsampler(SCALE, weights, network)
    enlarged = (upsampler.enhance(frame[..., ::-1].copy(), outscale=SCALE)[0] for frame in read(clip))
    write_video(target, (frame[..., ::-1].copy() for frame in enlarged), {"crf": CRF, "preset": PRESET})


def bare(args: Namespace) -> None:
    """See above."""
    weights, clip = args.files
    use(args.threads, args.engine)
    sha256 = load_registry(REGISTRY)[args.model].sha256
    stage = Upscaler(weights, sha256, outscale=SCALE, tile=512, precision=args.precision)
    frames = list(read(clip, MOST))
    stage.process(frames[0][None])
    print(median([timed(partial(stage.process, frame[None]))[0] for frame in frames]))


if __name__ == "__main__":
    main()
