#!/usr/bin/env python3
"""Find how hints steer the colours of a video: one look at all of its colorized frames."""

import json
from pathlib import Path

from restoration.files import atomic
from restoration.media.identity import proved
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import beside
from restoration.stages.chroma import lacks_colour
from restoration.stages.colour_points import Point
from restoration.stages.steer import guide


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--first-chunk", required=True, type=Path, help="the others lie beside it")
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    parser.add_argument("--images", nargs="*", type=Path, help="the reference images, in the order of the spec")
    args = job.parse(parser)
    timeline = Timeline.read(args.timeline)
    images = iter(args.images)
    references = [
        r | {"images": [proved(next(images), known) for known in r["images"]]} for r in args.spec["references"]
    ]
    points = [Point(**point) for point in args.spec["points"]]
    gray = lacks_colour(timeline, 0, len(timeline.table) - 1, force=args.spec["force"])
    description = json.loads(args.probe.read_text())
    chunks = beside(args.first_chunk, description["shots"], args.chunk_frames)
    guidance = guide(chunks, timeline, references, points, gray, description["content"])
    with atomic(args.output) as temporary:
        temporary.write_text(guidance.to_json())


if __name__ == "__main__":
    job.run(main)
