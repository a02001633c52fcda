#!/usr/bin/env python3
"""Encode the restored chunks of a video, with its sound, into the delivered file."""

import json
from itertools import chain
from pathlib import Path

from restoration.media.chunks import read_chunk
from restoration.media.encode import EncodeSettings, encode
from restoration.media.timeline import Timeline
from restoration.pipeline import job


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--plan", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--first-chunk", required=True, type=Path, help="the others lie beside it, named by the plan")
    args = job.parse(parser)
    spans = json.loads(args.plan.read_text())[args.video]
    frames = chain.from_iterable(read_chunk(args.first_chunk.with_name(f"{span}.mkv")) for span in spans)
    settings = EncodeSettings(args.spec["codec"], args.spec["crf"], args.spec["preset"])
    encode(args.output, frames, Timeline.read(args.timeline), args.source, settings, trimmed=args.spec["trimmed"])


if __name__ == "__main__":
    job.run(main)
