#!/usr/bin/env python3
"""Calm the upscaled detail of one chunk, looking at its neighbours, too."""

from itertools import chain
from pathlib import Path

from restoration.media.chunks import read_chunk, write_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.runner import prefetch, progress
from restoration.stages.settle import settled


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--sources", required=True, nargs="+", type=Path, help="chunks before upscaling, as the inputs")
    parser.add_argument("--inputs", required=True, nargs="+", type=Path, help="the chunk and its neighbours")
    args = job.parse(parser)
    span = Span.parse(args.output.stem)
    shots = Timeline.read(args.timeline).table["shot"].tolist()
    sources, results = (
        sorted(chunks, key=lambda chunk: Span.parse(chunk.stem)) for chunks in (args.sources, args.inputs)
    )
    first = Span.parse(results[0].stem).first
    before, after = (prefetch(chain.from_iterable(map(read_chunk, chunks)), depth=2) for chunks in (sources, results))
    frames = zip(before, after, shots[first:], strict=False)
    calm = settled(frames, first, range(span.first, span.last + 1), args.spec["stability"])
    write_chunk(args.output, progress(prefetch(calm, depth=2), len(span)), expected=len(span))


if __name__ == "__main__":
    job.run(main)
