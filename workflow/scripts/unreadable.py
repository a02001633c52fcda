#!/usr/bin/env python3
"""Say why a source could not be read, and fail.

The probe is deleted, so that the next run looks at the source again: a network share may have been away.
"""

import argparse
import json
from pathlib import Path

from restoration.errors import RestorationError
from restoration.pipeline.job import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("probe", type=Path)
    args = parser.parse_args()
    found = json.loads(args.probe.read_text())
    args.probe.unlink()
    raise RestorationError(found["error"])


if __name__ == "__main__":
    run(main)
