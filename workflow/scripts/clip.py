#!/usr/bin/env python3
"""Show source and result in one video: beside each other, with all stages, or on two sides of a border that wanders."""

import json
from pathlib import Path

from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import beside
from restoration.review.clips import FORMS, write_clip


def main() -> None:
    parser = job.result_parser(__doc__)
    parser.add_argument("--form", required=True, choices=FORMS)
    parser.add_argument(
        "--stages", nargs="*", default=[], type=Path, help="first chunk after each; others lie beside it"
    )
    parser.add_argument("--chunk-frames", required=True, type=int, help="longest chunk, by which they were cut")
    args = job.parse(parser)
    description, timeline = json.loads(args.probe.read_text()), Timeline.read(args.timeline)
    options = {"made_by": args.spec["made_by"], "trimmed": args.spec["trimmed"]}
    stages = {
        args.spec["labels"][first.parent.name.partition(".")[0]]: beside(first, description["shots"], args.chunk_frames)
        for first in args.stages
    }
    write_clip(args.output, args.form, args.source, description, timeline, args.restored, **options, stages=stages)


if __name__ == "__main__":
    job.run(main)
