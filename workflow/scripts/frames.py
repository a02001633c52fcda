#!/usr/bin/env python3
"""Extract one chunk of frames from a source."""

import json
from pathlib import Path

from restoration.media.chunks import write_chunk
from restoration.media.extract import extract
from restoration.media.timeline import Timeline
from restoration.pipeline import job
from restoration.pipeline.plan import Span


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    args = job.parse(parser)
    span = Span.parse(args.output.stem)
    frames = extract(
        args.source, json.loads(args.probe.read_text()), Timeline.read(args.timeline), span.first, span.last
    )
    write_chunk(args.output, frames, expected=len(span))


if __name__ == "__main__":
    job.run(main)
