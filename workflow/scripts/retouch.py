#!/usr/bin/env python3
"""Retouch one chunk by networks for old photographs, with a mask of the scratches that were painted over."""

import json
from pathlib import Path

from restoration.engines.engine import use
from restoration.media.masks import write_with_masks
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.chroma import lacks_colour
from restoration.stages.retouch import Retoucher, told_apart
from restoration.stages.runner import Stage, progress, restored_chunk
from restoration.stages.within import Within

OPTIONS = ("min_score", "detect_at", "strength", "tile", "overlap", "precision")


def main() -> None:
    parser = job.network_parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--probe", required=True, type=Path, help="the description, which tells of black borders")
    parser.add_argument("--mask", required=True, type=Path, help="chunk of masks to write")
    args = job.parse(parser)
    use(args.threads, args.engine)
    # Model, encoder, decoder, and what finds scratches, if it is to.
    networks = zip(args.weights, args.spec["weights"], strict=True)
    options = {option: args.spec[option] for option in OPTIONS if option in args.spec}
    stage: Stage = Retoucher(*networks, device=args.device, **options)
    if content := json.loads(args.probe.read_text())["content"]:
        stage = Within(stage, content)
    span, timeline = Span.parse(args.output.stem), Timeline.read(args.timeline)
    gray = lacks_colour(timeline, span.first, span.last, force=False)
    pictures = restored_chunk(stage, args.input, span, batch=args.batch, same_below=args.spec["same_below"])
    pairs = progress(told_apart(pictures, gray), len(span))
    write_with_masks(args.output, args.mask, pairs, expected=len(span), source=args.input)


if __name__ == "__main__":
    job.run(main)
