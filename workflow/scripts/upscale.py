#!/usr/bin/env python3
"""Upscale one chunk."""

from restoration.engines.torch_engine import use_threads
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.runner import run_stage
from restoration.stages.upscale import Upscaler


def main() -> None:
    args = job.parse(job.network_parser(__doc__))
    use_threads(args.threads)
    stage = Upscaler(
        *args.weights,
        *args.spec["weights"],
        outscale=args.spec["outscale"],
        tile=args.spec["tile"],
        overlap=args.spec["overlap"],
        precision=args.spec["precision"],
        device=args.device,
    )
    span = Span.parse(args.output.stem)
    run_stage(stage, args.input, args.output, first_frame=span.first, frames=len(span), batch=args.batch)


if __name__ == "__main__":
    job.run(main)
