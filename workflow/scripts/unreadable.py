#!/usr/bin/env python3
"""Say why a source could not be read, and fail.

The probe is deleted, so that the next run looks at the source again: a network share may have been away. So is the
receipt of a source that could not be fetched; one that was fetched is kept.
"""

import argparse
import json
from pathlib import Path

from restoration.errors import RestorationError
from restoration.pipeline.job import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", type=Path)
    parser.add_argument("receipt", type=Path, nargs="?", help="of a remote source")
    args = parser.parse_args()
    found = json.loads(args.probe.read_text())
    args.probe.unlink()
    if args.receipt and "error" in json.loads(args.receipt.read_text()):
        args.receipt.unlink()
    raise RestorationError(found["error"])


if __name__ == "__main__":
    run(main)
