#!/usr/bin/env python3
"""Restore two samples of a video, or of a still image, as it will be, and tell what each step took.

They pass the workflow itself, in a folder of their own beside the output, where they can be looked at.
"""

import json
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

from restoration.engines.torch_network import choose_device
from restoration.errors import RestorationError
from restoration.media.chunks import read_pictures
from restoration.media.still import write_samples
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
    parser.add_argument("--still", action="store_true", help="it is a still image")
    parser.add_argument("--threads", required=True, type=int, help="processor cores")
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    folder = args.output.with_suffix("")
    # What an earlier run left was measured on another day, or on another video.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if args.still:
        sources = write_samples(next(read_pictures(args.samples[1])), folder)
    else:
        sources = {chunk: len(Span.parse(chunk.stem)) for chunk in args.samples}
    names = {f"sample-{number}": source for number, source in enumerate(sources, 1)}
    rows = [f"{name}\t{source}\tsample" for name, source in names.items()]
    manifest, settings = folder / "manifest.tsv", folder / "config.json"
    manifest.write_text("\n".join(["video\tsource\trecipe", *rows]))
    places = {name: str(folder / name) for name in ("work", "results", "logs")}
    settings.write_text(json.dumps(args.settings | places | {"manifest": str(manifest)}))
    command = [sys.executable, "-m", "snakemake", "--snakefile", args.snakefile, "--configfile", settings]
    # This run holds the folder's lock, and its own profile is none of theirs.
    command += [
        "--workflow-profile",
        "none",
        "--nolock",
        "--cores",
        str(args.threads),
        "--scheduler",
        "greedy",
        "--quiet",
    ]
    environment = {name: value for name, value in os.environ.items() if name not in (VARIABLE, "SNAKEMAKE_PROFILE")}
    if subprocess.run(command, env=environment, check=False).returncode:
        raise RestorationError(f"{args.probe.parent.name}: a sample of it could not be restored, see above")
    height, width = json.loads(args.probe.read_text())["size"]
    lengths = {name: sources[source] for name, source in names.items()}
    gpu = choose_device(args.settings["device"]).type != "cpu"
    calibration(folder, lengths, height * width, gpu=gpu).write(args.output)


if __name__ == "__main__":
    job.run(main)
