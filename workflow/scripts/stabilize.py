#!/usr/bin/env python3
"""Calm the colours of one chunk, looking at its neighbours, too."""

from pathlib import Path

from restoration.media.chunks import write_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span
from restoration.stages.chroma import lacks_colour
from restoration.stages.reel import Reel
from restoration.stages.runner import prefetch, progress
from restoration.stages.stabilize import REACH, stabilized


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--inputs", required=True, nargs="+", type=Path, help="the chunk and its neighbours")
    args = job.parse(parser)
    span = Span.parse(args.output.stem)
    timeline = Timeline.read(args.timeline)
    shots = timeline.table["shot"].tolist()
    gray = lacks_colour(timeline, 0, len(shots) - 1, force=args.spec["force"])
    reel = Reel(args.inputs)
    near = reel.around(span, REACH)
    frames = prefetch(reel.frames(near[0], near[-1]), depth=2)
    placed = zip(frames, shots[near[0] :], strict=False)
    wanted = range(span.first, span.last + 1)
    calm = stabilized(placed, near[0], wanted, args.spec["stability"], gray)
    write_chunk(args.output, progress(prefetch(calm, depth=2), len(span)), expected=len(span))


if __name__ == "__main__":
    job.run(main)
