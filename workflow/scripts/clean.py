#!/usr/bin/env python3
"""Clean one chunk: noise, blocks and whatever else a network that keeps the size was made to take away."""

from restoration.engines.engine import use
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.runner import run_stage
from restoration.stages.upscale import Upscaler

OPTIONS = ("tile", "overlap", "precision", "strength")


def main() -> None:
    args = job.parse(job.network_parser(__doc__))
    use(args.threads, args.engine)
    options = {option: args.spec[option] for option in OPTIONS}
    stage = Upscaler(*args.weights, *args.spec["weights"], outscale=1, device=args.device, **options)
    span = Span.parse(args.output.stem)
    run_stage(stage, args.input, args.output, span, batch=args.batch, same_below=args.spec["same_below"])


if __name__ == "__main__":
    job.run(main)
