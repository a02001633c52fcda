#!/usr/bin/env python3
"""Probe a source: write its description as JSON and its timeline as TSV.

A source that cannot be read gives a description with an error instead: the plan needs a word on every video, and one
bad file must not hold up the others.
"""

import json
from pathlib import Path

import av

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.media.probe import probe
from restoration.pipeline import job


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--promised", required=True, type=json.loads, help="its bytes and sha256, as far as known")
    parser.add_argument("--receipt", nargs="?", type=Path, help="how it was fetched, if it was")
    parser.add_argument("--timeline", required=True, type=Path)
    args = job.parse(parser)
    receipt = json.loads(args.receipt.read_text()) if args.receipt else {}
    again = (
        f" (fetched from {receipt['url']}; snakemake --forcerun {args.receipt} fetches anew)"
        if "url" in receipt
        else ""
    )
    with atomic(args.output) as description, atomic(args.timeline) as timeline:
        try:
            if "error" in receipt:
                raise RestorationError(receipt["error"])
            found, times = probe(args.source, args.spec | args.promised)
            if "url" in receipt:
                found["source"]["url"] = receipt["url"]
            times.write(timeline)
        except (RestorationError, av.FFmpegError, ArithmeticError, ValueError) as error:
            job.complain(f"{error}{again}")
            found = {"error": f"{error}{again}"}
            timeline.touch()
        description.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    job.run(main)
