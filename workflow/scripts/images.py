#!/usr/bin/env python3
"""Write the restored single frames of a video as images, and their index."""

import json
from fractions import Fraction
from itertools import chain
from pathlib import Path

from restoration.media.chunks import read_chunk
from restoration.media.images import write_images
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import beside


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--first-chunk", required=True, type=Path, help="the others lie beside it")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    args = job.parse(parser)
    description = json.loads(args.probe.read_text())
    frames = chain.from_iterable(map(read_chunk, beside(args.first_chunk, description["shots"], args.chunk_frames)))
    origin, suffix = Fraction(description["origin"]), f".{args.spec['image']}"
    write_images(args.output, frames, Timeline.read(args.timeline), origin, suffix, args.spec.get("quality"))


if __name__ == "__main__":
    job.run(main)
