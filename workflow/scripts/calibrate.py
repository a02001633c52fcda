#!/usr/bin/env python3
"""Restore two samples of a video as it will be, and tell what each step took.

They pass the workflow itself, in a folder of their own beside the output, where they can be looked at.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from restoration.errors import RestorationError
from restoration.pipeline import job
from restoration.pipeline.flight import VARIABLE
from restoration.pipeline.forecast import calibration
from restoration.pipeline.plan import Span


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--snakefile", required=True, type=Path)
    parser.add_argument("--settings", required=True, type=json.loads, help="configuration of the run, as JSON")
    parser.add_argument("--probe", required=True, type=Path, help="that of the video")
    parser.add_argument("--samples", required=True, type=Path, nargs=2, help="chunks of its frames")
    parser.add_argument("--threads", required=True, type=int, help="processor cores")
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    folder = args.output.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    samples = {f"sample-{number}": chunk for number, chunk in enumerate(args.samples, 1)}
    rows = [f"{video}\t{chunk}\tsample" for video, chunk in samples.items()]
    manifest, settings = folder / "manifest.tsv", folder / "config.json"
    manifest.write_text("\n".join(["video\tsource\trecipe", *rows]))
    places = {name: str(folder / name) for name in ("work", "results", "logs")}
    settings.write_text(json.dumps(args.settings | places | {"manifest": str(manifest)}))
    command = [sys.executable, "-m", "snakemake", "--snakefile", args.snakefile, "--configfile", settings]
    # This run holds the folder's lock, and its own profile is none of theirs.
    command += ["--workflow-profile", "none", "--nolock", "--cores", str(args.threads), "--scheduler", "greedy"]
    environment = {name: value for name, value in os.environ.items() if name not in (VARIABLE, "SNAKEMAKE_PROFILE")}
    if subprocess.run(command, env=environment, check=False).returncode:
        raise RestorationError(f"{args.probe.parent.name}: a sample of it could not be restored, see above")
    height, width = json.loads(args.probe.read_text())["size"]
    lengths = {video: len(Span.parse(chunk.stem)) for video, chunk in samples.items()}
    calibration(folder, lengths, height * width).write(args.output)


if __name__ == "__main__":
    job.run(main)
