#!/usr/bin/env python3
"""Write the C2PA signature of a Matroska file, which cannot hold it, beside it."""

import json
from pathlib import Path

from restoration.pipeline import job
from restoration.provenance.sign import signature


def main() -> None:
    parser = job.parser(__doc__)
    parser.add_argument("--probe", required=True, type=Path)
    parser.add_argument("--restored", required=True, type=Path)
    parser.add_argument("--certificate", required=True, type=Path)
    parser.add_argument("--key", required=True, type=Path)
    args = job.parse(parser)
    source = json.loads(args.probe.read_text())["source"]["sha256"]
    signature(args.restored, args.output, args.spec, args.certificate, args.key, source)


if __name__ == "__main__":
    job.run(main)
