"""What thousands of titles cost Snakemake itself: the workflow as it is, with scripts that only write what they should.

    python benchmarks/scale.py plan 1000 20                  # time and memory until every job of them is planned
    python benchmarks/scale.py plan 10000 20 --part 1/100
    python benchmarks/scale.py run 250 20 --subsample 200    # all jobs simulated: how many end in a second

The first number is that of titles, the second that of chunks in each. Frames, colorize, stabilize and upscale make four
jobs of a chunk; a title has three more.
"""

import json
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from measuring import ROOT, spend

from restoration.pipeline.cost import Cost

CHUNK_FRAMES = 240
OUTPUTS = ("--timeline", "--delivery")
STAND_IN = f"""#!/usr/bin/env -S python3 -I -S
import json, os, sys, time
time.sleep({{seconds}})
target, options = sys.argv[-1], dict(zip(sys.argv, sys.argv[1:]))
targets = [target, *(options[name] for name in {OUTPUTS} if name in options)]
if target.endswith(".mkv"):
    targets.append(target.removesuffix("mkv") + "hashes")
for path in targets:
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump({{{{"shots": [[0, {{frames}} - 1]]}}}}, file)
"""


@contextmanager
def library(titles: int, chunks: int, seconds: float) -> Iterator[Path]:
    """A project with so many titles in a temporary folder; each job takes *seconds*."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        for name in ("workflow", "src", "profiles", "config"):
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Snakefile", "environment.yml"):
            shutil.copy(ROOT / name, project)
        stand_in = STAND_IN.format(seconds=seconds, frames=chunks * CHUNK_FRAMES)
        for script in (project / "workflow" / "scripts").glob("*.py"):
            script.write_text(stand_in)
        (project / "sources").mkdir()
        rows = ["video\tsource\trecipe"]
        for number in range(titles):
            source = f"sources/{number:06d}.mp4"
            (project / source).write_text(source)
            rows.append(f"tape-{number:06d}\t{source}\tkinescope")
        (project / "config" / "manifest.tsv").write_text("\n".join(rows))
        settings = {
            "manifest": "config/manifest.tsv",
            "chunk_frames": CHUNK_FRAMES,
            "recipes": {"kinescope": {"colorize": {"model": "embedded-colorizer"}, "upscale": {}}},
        }
        (project / "config" / "config.yaml").write_text(yaml.safe_dump(settings))
        yield project


def snakemake(project: Path, *arguments: str) -> tuple[Cost, str]:
    """Call Snakemake in *project*; what it cost, and what it said."""
    return spend([sys.executable, "-m", "snakemake", *arguments], project)


def main() -> None:
    """Parse the command line and do it."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["plan", "run"])
    parser.add_argument("titles", type=int)
    parser.add_argument("chunks", type=int)
    parser.add_argument("--part", default="1/1", help="share of the titles")
    parser.add_argument("--subsample", type=int, default=0, help="jobs that the scheduler chooses among; 0: all")
    parser.add_argument("--seconds", type=float, default=0, help="that a simulated job takes")
    parser.add_argument("--cores", default="32", help="simulated jobs use none")
    options = parser.parse_args()
    part = ["--config", f"part={options.part}"]
    with library(options.titles, options.chunks, options.seconds) as project:
        parsed, _ = snakemake(project, "--cores", options.cores, *part, "--list-rules")
        subsample = ["--scheduler-subsample", f"{options.subsample}"]
        probing, _ = snakemake(project, "--cores", options.cores, *subsample, *part, "--until", "plan")
        planned, said = snakemake(project, "--cores", options.cores, *part, "--dry-run", "--quiet", "rules")
        costs = {"parse": parsed, "probe and plan (simulated)": probing, "dry run": planned}
        if options.what == "run":
            costs["all other jobs (simulated)"], _ = snakemake(project, "--cores", options.cores, *subsample, *part)
        jobs = next(line.split()[1] for line in said.splitlines() if line.startswith("total"))
    print(json.dumps(vars(options)), f"{jobs} jobs")
    print(f"{'':30} {'seconds':>8} {'CPU s':>8} {'MB':>6}")
    for what, taken in costs.items():
        print(f"{what:30} {taken.seconds:8.1f} {taken.cpu_seconds:8.1f} {taken.megabytes:6.0f}")


if __name__ == "__main__":
    main()
