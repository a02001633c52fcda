#!/usr/bin/env python3
"""Draw source and result side by side, at the middle of up to three shots, as a picture."""

import argparse
from pathlib import Path

from restoration.media.timeline import Timeline
from restoration.pipeline.job import label, read_spec, run
from restoration.review.comparison import write_comparison


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, type=read_spec)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--timeline", required=True, type=Path)
    parser.add_argument("restored", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    label(args.output)
    write_comparison(args.source, args.restored, Timeline.read(args.timeline), args.output, args.spec["made_by"])


if __name__ == "__main__":
    run(main)
