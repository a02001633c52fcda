#!/usr/bin/env python3
"""Fit a network of super-resolution in 8 bits to frames of a video."""

from pathlib import Path

from restoration.engines.engine import use
from restoration.pipeline import job
from restoration.stages.quantize import quantize


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--weights", required=True, type=Path, help="converted safetensors file")
    parser.add_argument("--threads", required=True, type=int, help="processor cores")
    parser.add_argument("--inputs", required=True, type=Path, nargs="+", help="chunks of frames as they are enlarged")
    args = job.parse(parser)
    use(args.threads, "openvino")
    (sha256,) = args.spec["weights"]
    quantize(args.weights, sha256, args.inputs, args.output)


if __name__ == "__main__":
    job.run(main)
