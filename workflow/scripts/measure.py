#!/usr/bin/env python3
"""Measure a delivered file against its source: a table of all frames, and a summary of shots, faces and the whole."""

import json
from pathlib import Path

from restoration.files import atomic
from restoration.media.codecs import EncodeSettings
from restoration.media.kind import is_still
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.review.measures import measure
from restoration.stages.chroma import lacks_colour


def main() -> None:
    parser = job.result_parser(__doc__)
    parser.add_argument("--faces", type=Path, nargs="*", default=[], help="the record of faces, if there is one")
    parser.add_argument("--table", required=True, type=Path, help="TSV to write")
    args = job.parse(parser)
    timeline, spec = Timeline.read(args.timeline), args.spec
    colorized, last = "force" in spec, len(timeline.pts) - 1
    table, summary = measure(
        args.source,
        json.loads(args.probe.read_text()),
        timeline,
        args.restored,
        record=next((json.loads(file.read_text()) for file in args.faces), None),
        recoloured=lacks_colour(timeline, 0, last, force=spec["force"]) if colorized else None,
        trimmed=spec.get("trimmed", False),
        settings=None if is_still(args.restored) else EncodeSettings.of(spec),
    )
    with atomic(args.table) as temporary:
        table.to_csv(temporary, sep="\t")
    with atomic(args.output) as temporary:
        temporary.write_text(json.dumps(summary, indent=1, allow_nan=False))


if __name__ == "__main__":
    job.run(main)
