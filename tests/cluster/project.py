"""A project whose jobs run on the Slurm cluster that is on the PATH, with the profile that users have."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from workflow.project import Project

HERE = Path(__file__).parent
HOLD = """
import json, os, time
from pathlib import Path
folder = Path(os.environ["RESTORATION_FAULTS"])
names = {"id": "SLURM_JOB_ID", "node": "SLURMD_NODENAME", "gpus": "CUDA_VISIBLE_DEVICES"}
job = {name: os.environ[variable] for name, variable in names.items()}
note = folder / job["id"]
note.write_text(json.dumps(job))
note.rename(folder / f"held.{job['id']}")
while not (folder / "released").exists():
    time.sleep(0.1)
"""
"""Tells where the job runs, and lets it wait."""


@dataclass(frozen=True)
class SlurmJob:
    """A line of squeue: `memory` in MB, `minutes` it may take."""

    id: str
    rule: str
    state: str
    partition: str
    cpus: int
    memory: int
    minutes: int


class ClusterProject(Project):
    """What is set on the command line is what the size of the clips asks for, and haste; the rest is in the profile."""

    patience = 3 * Project.patience  # every job starts Snakemake twice

    def __init__(self, root):
        super().__init__(root)
        self.faults = root / "faults"

    @classmethod
    def create(cls, root):
        project = super().create(root)
        project.prepare()
        return project

    @classmethod
    def of(cls, local, root):
        """A copy of a local project."""
        shutil.copytree(local.checkout.parent, root, symlinks=True)
        project = cls(root)
        project.prepare()
        return project

    def prepare(self):
        self.faults.mkdir()
        (self.folder / "slurm").symlink_to(self.checkout / "profiles" / "slurm")

    def command(self):
        return [
            *(sys.executable, HERE / "launch.py", "--profile", "slurm", "--latency-wait", "10"),
            *("--slurm-init-seconds-before-status-checks", "1"),
        ]

    def start(self, *arguments):
        chunk_frames = yaml.safe_load(self.config_file.read_text())["chunk_frames"]
        small = ("device=auto", "batch=1", "threads=1", f"chunk_frames={chunk_frames}")
        return super().start(*arguments, "--config", *small)

    def environment(self):
        environment = super().environment()
        path = os.pathsep.join([environment["PYTHONPATH"], str(HERE / "faults")])
        return environment | {"PYTHONPATH": path, "RESTORATION_FAULTS": str(self.faults)}

    def add_faults(self, script, *faults):
        """Let as many jobs of *script* begin with this code."""
        for fault in faults:
            (self.faults / f"{script}.{len(list(self.faults.iterdir())):03d}").write_text(fault)

    def held(self, count, process):
        """Wait until so many jobs are held; what they tell of themselves, by node."""
        self.until(lambda: len(list(self.faults.glob("held.*"))) >= count, process)
        return sorted(
            (json.loads(note.read_text()) for note in self.faults.glob("held.*")), key=lambda note: note["node"]
        )

    def release(self):
        """Let held jobs go on."""
        (self.faults / "released").touch()

    def slurm_jobs(self, rule=None):
        """All jobs of this project, past ones too, or those of one rule, in the order of their submission."""
        columns = "%i|%k|%T|%P|%C|%m|%l|%Z"
        command = ["squeue", "--me", "--states=all", "--sort=i", "--noheader", f"--format={columns}"]
        listing = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
        rows = [line.split("|") for line in listing.splitlines()]
        found = [
            SlurmJob(
                number, comment.split("_")[1], state, partition, int(cpus), int(memory.rstrip("M")), minutes(limit)
            )
            for number, comment, state, partition, cpus, memory, limit, folder in rows
            if folder == str(self.folder)
        ]
        return [job for job in found if rule in (None, job.rule)]

    def forget_chunks(self, count):
        """Delete the last upscaled chunks of the video `regular`, and what was made of them."""
        for chunk in sorted(self.chunks("regular/upscale.*/*.mkv"))[-count:]:
            chunk.unlink()
            chunk.with_suffix(".hashes").unlink()
        shutil.rmtree(self.results / "regular")


def minutes(limit):
    """A time as Slurm writes it, `[days-][hours:]minutes:seconds`."""
    days, _, clock = limit.rpartition("-")
    hours, minute, _ = ([0, 0, 0] + [int(part) for part in clock.split(":")])[-3:]
    return 1440 * int(days or 0) + 60 * hours + minute
