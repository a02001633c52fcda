#!/usr/bin/env python3
"""Calm the upscaled detail of one chunk, looking at its neighbours, too."""

from pathlib import Path

from restoration.media.chunks import write_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.reel import Reel
from restoration.stages.runner import prefetch, progress
from restoration.stages.settle import REACH, settled


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--sources", required=True, nargs="+", type=Path, help="chunks before upscaling, as the inputs")
    parser.add_argument("--inputs", required=True, nargs="+", type=Path, help="the chunk and its neighbours")
    args = job.parse(parser)
    span = Span.parse(args.output.stem)
    shots = Timeline.read(args.timeline).table["shot"].tolist()
    near = Reel(args.inputs).around(span, REACH)
    before, after = (
        prefetch(Reel(chunks).frames(near[0], near[-1]), depth=2) for chunks in (args.sources, args.inputs)
    )
    frames = zip(before, after, shots[near[0] :], strict=False)
    calm = settled(frames, near[0], range(span.first, span.last + 1), args.spec["stability"])
    write_chunk(args.output, progress(prefetch(calm, depth=2), len(span)), expected=len(span))


if __name__ == "__main__":
    job.run(main)
