#!/usr/bin/env python3
"""Draw source and result side by side, at chosen times or the middle of up to three shots, as a picture."""

import json

from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.review.comparison import write_comparison


def main() -> None:
    args = job.parse(job.result_parser(__doc__))
    description, timeline = json.loads(args.probe.read_text()), Timeline.read(args.timeline)
    made_by, stills = args.spec["made_by"], args.spec["stills"]
    write_comparison(args.source, description, timeline, args.restored, args.output, made_by, stills=stills)


if __name__ == "__main__":
    job.run(main)
