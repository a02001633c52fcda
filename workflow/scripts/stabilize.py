#!/usr/bin/env python3
"""Calm the colours of one chunk, looking at its neighbours, too."""

from itertools import chain
from pathlib import Path

from restoration.media.chunks import read_chunk, write_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.chroma import lacks_colour
from restoration.stages.runner import prefetch, progress
from restoration.stages.stabilize import stabilized


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--inputs", required=True, nargs="+", type=Path, help="the chunk and its neighbours")
    args = job.parse(parser)
    span = Span.parse(args.output.stem)
    timeline = Timeline.read(args.timeline)
    shots = timeline.table["shot"].tolist()
    gray = lacks_colour(timeline, 0, len(shots) - 1, force=args.spec["force"])
    chunks = sorted(args.inputs, key=lambda chunk: Span.parse(chunk.stem))
    first = Span.parse(chunks[0].stem).first
    frames = prefetch(chain.from_iterable(map(read_chunk, chunks)), depth=2)
    placed = zip(frames, shots[first:], strict=False)
    wanted = range(span.first, span.last + 1)
    calm = stabilized(placed, first, wanted, args.spec["stability"], gray)
    write_chunk(args.output, progress(prefetch(calm, depth=2), len(span)), expected=len(span))


if __name__ == "__main__":
    job.run(main)
