#!/usr/bin/env python3
"""Extract one chunk of frames from a source."""

import argparse
from pathlib import Path

from restoration.media.chunks import write_chunk
from restoration.media.extract import extract
from restoration.media.timeline import Timeline
from restoration.pipeline.job import label, read_spec, run
from restoration.pipeline.plan import Span


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, type=read_spec)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    label(args.output)
    span = Span.parse(args.output.stem)
    frames = extract(args.source, Timeline.read(args.timeline), span.first, span.last)
    write_chunk(args.output, frames, expected=len(span))


if __name__ == "__main__":
    run(main)
