#!/usr/bin/env python3
"""Upscale one chunk."""

from restoration.engines.engine import use
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.runner import run_stage
from restoration.stages.upscale import upscaler_of


def main() -> None:
    args = job.parse(job.network_parser(__doc__))
    use(args.threads, args.engine)
    stage = upscaler_of(args.spec, args.weights, device=args.device)
    span = Span.parse(args.output.stem)
    run_stage(stage, args.input, args.output, span, batch=args.batch, same_below=args.spec["same_below"])


if __name__ == "__main__":
    job.run(main)
