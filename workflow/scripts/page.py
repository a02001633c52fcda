#!/usr/bin/env python3
"""Write the report on a video as an HTML page, and the card that stands for it in the list of all videos."""

import json
from pathlib import Path

from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.review.limits import judge
from restoration.review.page import write_page


def main() -> None:
    parser = job.result_parser(__doc__)
    parser.add_argument("--delivery", required=True, type=Path)
    parser.add_argument("--faces", type=Path, nargs="?", help="the record of its faces, if they were restored")
    parser.add_argument("--repairs", type=Path, nargs="?", help="the record of its repairs, if there were any")
    parser.add_argument("--measures", required=True, type=Path)
    parser.add_argument("--table", required=True, type=Path, help="of the measures of each frame")
    parser.add_argument("--provenance", required=True, type=Path)
    parser.add_argument("--log", required=True, type=Path, help="of this job, in the folder of the video's logs")
    parser.add_argument("--current", required=True, nargs="+", metavar="STEP.KEY", help="what made the result")
    parser.add_argument("--card", required=True, type=Path, help="JSON to write")
    args = job.parse(parser)
    measures = json.loads(args.measures.read_text())
    write_page(
        args.output,
        args.card,
        args.video,
        args.spec,
        args.source,
        json.loads(args.probe.read_text()),
        Timeline.read(args.timeline),
        args.restored,
        delivery=args.delivery,
        faces=args.faces,
        repairs=args.repairs,
        logs=args.log.parent,
        current=args.current,
        measures=measures,
        table=args.table,
        findings=judge(measures, args.spec["limits"]),
        provenance=args.provenance,
    )


if __name__ == "__main__":
    job.run(main)
