#!/usr/bin/env python3
"""Upscale one chunk."""

from restoration.engines.engine import use
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.runner import run_stage
from restoration.stages.upscale import Upscaler

OPTIONS = (
    *("outscale", "tile", "overlap", "pre_pad", "precision"),
    *("denoise_strength", "strength", "back_projection"),
)


def main() -> None:
    args = job.parse(job.network_parser(__doc__))
    use(args.threads, args.engine)
    spec = args.spec
    networks = zip(args.weights, spec["weights"], strict=True)  # in this order
    stage = Upscaler(
        *next(networks),
        weak_denoise=next(networks) if "weak_denoise" in spec else None,
        further_passes=next(networks) if "further_passes" in spec else None,
        target=(spec["target_width"], spec["target_height"]),
        device=args.device,
        **{option: spec[option] for option in OPTIONS},
    )
    span = Span.parse(args.output.stem)
    run_stage(stage, args.input, args.output, first_frame=span.first, frames=len(span), batch=args.batch)


if __name__ == "__main__":
    job.run(main)
