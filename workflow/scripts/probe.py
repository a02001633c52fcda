#!/usr/bin/env python3
"""Probe a source: write its description as JSON and its timeline as TSV.

A source that cannot be read gives a description with an error instead: the plan needs a word on every video, and one
bad file must not hold up the others.
"""

import json
import logging
from pathlib import Path

import av

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.media.probe import probe
from restoration.pipeline import job


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    args = job.parse(parser)
    with atomic(args.output) as description, atomic(args.timeline) as timeline:
        try:
            found, times = probe(args.source, args.spec)
            times.write(timeline)
        except (RestorationError, av.FFmpegError, ArithmeticError, ValueError) as error:
            logging.error("ERROR: %s", error)
            found = {"error": str(error)}
            timeline.touch()
        description.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    job.run(main)
