#!/usr/bin/env python3
"""Prepare the same run again, from a record of provenance and the original."""

import shlex
import sys
from argparse import ArgumentParser
from pathlib import Path

# Usable alone, installed or not.
WORKFLOW = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(WORKFLOW.parent / "src"))

from restoration.errors import RestorationError  # noqa: E402
from restoration.pipeline.validate import problems, read_yaml  # noqa: E402
from restoration.provenance.reproduce import differences, write_project  # noqa: E402
from restoration.provenance.software import software  # noqa: E402
from restoration.provenance.verify import read_record  # noqa: E402


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path, help="VIDEO.provenance.json")
    parser.add_argument("folder", type=Path, help="where to put configuration, manifest and registry of models")
    parser.add_argument("--source", required=True, type=Path, help="the original")
    parser.add_argument(
        "--file", action="append", default=[], type=Path, help="weights or a reference image of your own"
    )
    args = parser.parse_args()
    try:
        record = read_record(args.record)
        if wrong := problems(record, read_yaml(WORKFLOW / "schemas" / "provenance.schema.yaml"), str(args.record)):
            raise RestorationError("\n".join(wrong))
        write_project(record, args.source, args.folder, args.file)
    except (RestorationError, OSError) as error:
        sys.exit(f"ERROR: {error}")
    for difference in differences(record, software()):
        print(f"WARNING: {difference}; frames may differ", file=sys.stderr)
    again = args.folder / "results" / record["video"] / args.record.name
    snakefile = WORKFLOW.parent / "Snakefile"
    run: list[str | Path] = ["snakemake", "--snakefile", snakefile, "--configfile", "config.yaml"]
    verify: list[str | Path] = [Path(__file__).with_name("verify.py"), args.record, "--same-frames-as", again]
    print(f"Now:  {_shell('cd', args.folder)} && {_shell(*run)}\nthen: {_shell(*verify)}")


def _shell(*words: str | Path) -> str:
    return shlex.join(map(str, words))


if __name__ == "__main__":
    main()
