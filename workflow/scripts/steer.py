#!/usr/bin/env python3
"""Steer the colours of one chunk by what is known about them."""

from pathlib import Path

from restoration.media.chunks import read_chunk, write_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.runner import prefetch, progress
from restoration.stages.steer import Guidance


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--hints", required=True, type=Path, help="what the job hints found")
    parser.add_argument("--input", required=True, type=Path, help="the chunk to steer")
    args = job.parse(parser)
    span = Span.parse(args.output.stem)
    shots = Timeline.read(args.timeline).table["shot"].tolist()
    guidance = Guidance.from_json(args.hints.read_text())
    numbered = enumerate(prefetch(read_chunk(args.input), depth=2), span.first)
    steered = (guidance.steered(frame, number, shots[number]) for number, frame in numbered)
    write_chunk(args.output, progress(prefetch(steered, depth=2), len(span)), expected=len(span), source=args.input)


if __name__ == "__main__":
    job.run(main)
