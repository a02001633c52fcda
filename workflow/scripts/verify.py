#!/usr/bin/env python3
"""Prove that delivered files are what their records of provenance say, or that two have the same restored frames."""

import sys
from argparse import ArgumentParser
from pathlib import Path

# Usable alone, installed or not.
WORKFLOW = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(WORKFLOW.parent / "src"))

from restoration.errors import RestorationError  # noqa: E402
from restoration.pipeline.validate import read_yaml  # noqa: E402
from restoration.provenance.verify import discrepancies, same_frames  # noqa: E402


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--list", type=Path, help="file that names further records, one in each line")
    parser.add_argument("records", nargs="*", type=Path, help="VIDEO.provenance.json, with what it tells of beside it")
    parser.add_argument("--same-frames-as", type=Path, metavar="RECORD", help="compare restored frames instead")
    args = parser.parse_args()
    records = [*args.records, *(map(Path, args.list.read_text().splitlines()) if args.list else ())]
    if not records:
        parser.error("name at least one record")
    schema = read_yaml(WORKFLOW / "schemas" / "provenance.schema.yaml")
    amiss = 0
    for record in records:
        try:
            found = same_frames(record, args.same_frames_as) if args.same_frames_as else discrepancies(record, schema)
        except RestorationError as error:
            found = [str(error)]
        amiss += bool(found)
        print(f"{record}: {'NOT as recorded' if found else 'as recorded'}", *(f"  {what}" for what in found), sep="\n")
    if amiss:
        sys.exit(f"ERROR: {amiss} of {len(records)} videos are not what is recorded")


if __name__ == "__main__":
    main()
