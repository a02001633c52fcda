#!/usr/bin/env python3
"""Write the restored single frames of a video as images, and their index."""

import json
from fractions import Fraction
from itertools import chain
from pathlib import Path

from restoration.files import atomic
from restoration.media.chunks import read_chunk
from restoration.media.images import write_images
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import beside
from restoration.provenance.software import how_made


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--first-chunk", required=True, type=Path, help="the others lie beside it")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--delivery", required=True, type=Path, help="JSON report to write")
    args = job.parse(parser)
    description = json.loads(args.probe.read_text())
    chunks = beside(args.first_chunk, description["shots"], args.chunk_frames)
    frames, timeline = chain.from_iterable(map(read_chunk, chunks)), Timeline.read(args.timeline)
    origin, suffix = Fraction(description["origin"]), f".{args.spec['image']}"
    form = {"quality": args.spec.get("quality"), "mark": args.spec["mark"]}
    write_images(args.output, frames, timeline, origin, suffix, **form)
    report = {
        "source": {"name": args.source.name, **description["source"]},
        **{key: description[key] for key in ("frames", "reading", "damage")},
        **how_made(chunks),
    }
    with atomic(args.delivery) as file:
        file.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    job.run(main)
