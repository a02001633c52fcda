#!/usr/bin/env python3
"""Draw source, what each stage made of it, and result side by side, as a picture."""

import json
from pathlib import Path

from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.review.comparison import write_comparison


def main() -> None:
    parser = job.result_parser(__doc__)
    parser.add_argument("--chunks", type=Path, nargs="*", default=[], help="with those frames, of all stages in order")
    args = job.parse(parser)
    description, timeline = json.loads(args.probe.read_text()), Timeline.read(args.timeline)
    stages = dict[str, list[Path]]()
    for chunk in args.chunks:
        step = chunk.parent.name.partition(".")[0]
        stages.setdefault(args.spec["labels"][step], []).append(chunk)
    made_by, stills = args.spec["made_by"], args.spec["stills"]
    write_comparison(args.source, description, timeline, args.restored, args.output, made_by, stages, stills)


if __name__ == "__main__":
    job.run(main)
