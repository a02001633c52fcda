"""A copy of the workflow and a folder to run it in, by the command line and in a process of its own, as users do."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from workflow.media import make_clip

REPOSITORY = Path(__file__).parents[2]
PLUGINS = Path(__file__).parent / "plugins"
PATIENCE = 600
"""Seconds that any single run may take."""

CLIPS = {
    # Every frame lasts as long as the others.
    "regular": {"shots": (12, 12, 12), "pts": [3600 * i for i in range(36)], "seed": 1},
    # Frames last 1501 to 3754 ticks. Snakemake compares the content of files up to 1 MB and the times of larger ones.
    "irregular": {
        "shots": (12, 12),
        "pts": [3003 * i + (i % 3) * 751 for i in range(24)],
        "seed": 2,
        "padding": 1_200_000,
    },
}
CHUNKS = {"regular": 3, "irregular": 2, "added": 1}
OTHER_TILE = 16


@dataclass(frozen=True)
class Run:
    """How a call of snakemake ended; `jobs` counts its jobs as `rule video` or `rule`, without `all`."""

    code: int
    output: str
    jobs: Counter


REPORTS = ("provenance", "measure", "judge", "page")
"""Rules that follow every encode."""


def jobs(*rules, of=tuple(CLIPS)):
    """The jobs of these rules for these videos, to compare with `Run.jobs`; what is encoded is also reported on."""
    rules += REPORTS if "encode" in rules else ()
    per_chunk = ("frames", "upscale")
    return Counter({f"{rule} {video}": CHUNKS[video] if rule in per_chunk else 1 for rule in rules for video in of})


class Project:
    """`root/checkout` holds the workflow, `root/project` sources, configuration and results."""

    patience = PATIENCE
    prepared = None
    """Folder with what OpenVINO makes of the network that recipes name by default: no project waits for it."""

    def __init__(self, root):
        self.checkout, self.folder = root / "checkout", root / "project"
        self.work, self.results = self.folder / "work", self.folder / "results"

    @classmethod
    def create(cls, root):
        """Two clips, two recipes, nothing computed yet."""
        project = cls(root)
        project.check_out()
        for name, clip in CLIPS.items():
            make_clip(project.source(name), **clip)
        project.prepare()
        (project.folder / "config").mkdir()
        shutil.copy2(REPOSITORY / "config" / "models.yaml", project.folder / "config")
        encode = {"preset": "ultrafast", "crf": 20}
        settings = {
            "manifest": "config/manifest.tsv",
            "threads": 1,
            "chunk_frames": 12,
            # The clips are drawn in blocks of 8 x 8, which upscaling makes sharper.
            "limits": {"blockiness": {"warning": None}},
            "recipes": {"tiny": {"upscale": {"outscale": 2, "tile": 24, "overlap": 8}, "encode": encode}},
        }
        project.config_file.write_text(yaml.safe_dump(settings))
        rows = [
            {"video": "regular", "source": "sources/regular.mp4", "recipe": "tiny", "encode.preset": "ultrafast"},
            {"video": "irregular", "source": "sources/irregular.mp4", "recipe": "tiny", "encode.preset": "superfast"},
        ]
        pd.DataFrame(rows).to_csv(project.manifest_file, sep="\t", index=False)
        return project

    def copy(self, root):
        """The same in another place, all times kept, from a checkout of its own."""
        shutil.copytree(self.checkout.parent, root, symlinks=True)
        return Project(root)

    def check_out(self):
        """Bring the workflow anew from the repository."""
        shutil.rmtree(self.checkout, ignore_errors=True)
        for name in ("workflow", "src", "profiles"):
            shutil.copytree(
                REPOSITORY / name, self.checkout / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
            )
        for name in ("Snakefile", "environment.yml"):
            shutil.copy2(REPOSITORY / name, self.checkout)

    def forget(self):
        """Delete all that was computed."""
        for name in ("work", "results", "weights", "logs", ".snakemake"):
            shutil.rmtree(self.folder / name)
        self.prepare()

    def prepare(self):
        """Put there what is `prepared`."""
        if self.prepared:
            shutil.copytree(self.prepared, self.folder / "weights")

    def source(self, name):
        return self.folder / "sources" / f"{name}.mp4"

    def restored(self, name):
        return self.results / name / f"{name}.mp4"

    @property
    def config_file(self):
        return self.folder / "config" / "config.yaml"

    @property
    def manifest_file(self):
        return self.folder / "config" / "manifest.tsv"

    @contextmanager
    def config(self):
        """The configuration as a dict to change."""
        settings = yaml.safe_load(self.config_file.read_text())
        yield settings
        replace(self.config_file, yaml.safe_dump(settings))

    @contextmanager
    def stage(self, name):
        """The recipe's settings of one stage as a dict to change."""
        with self.config() as settings:
            yield settings["recipes"]["tiny"][name]

    @contextmanager
    def manifest(self):
        """The manifest's rows as dicts by column, to change, add and remove."""
        rows = pd.read_csv(self.manifest_file, sep="\t", dtype=str, keep_default_na=False).to_dict("records")
        yield rows
        replace(self.manifest_file, pd.DataFrame(rows).fillna("").to_csv(sep="\t", index=False))

    def edit(self, file, old, new):
        """Replace a text that is in a file of the checkout once."""
        path = self.checkout / file
        assert path.read_text().count(old) == 1, f"{file} has changed: adapt the test"
        replace(path, path.read_text().replace(old, new))

    def dry(self, *arguments):
        """What would run."""
        run = self.snakemake("--dry-run", *arguments)
        assert run.code == 0, run.output
        return run.jobs

    def run(self, *arguments):
        """What ran, without failure."""
        run = self.snakemake(*arguments)
        assert run.code == 0, run.output
        return run.jobs

    def snakemake(self, *arguments):
        """Call snakemake and wait."""
        process = self.start(*arguments)
        try:
            return self.wait(process)
        finally:
            kill(process)

    def command(self):
        """How snakemake is called."""
        return [sys.executable, "-m", "snakemake", "--cores", "2"]

    def environment(self):
        """What it finds in its environment."""
        return clean_environment() | {"PYTHONPATH": str(PLUGINS)}

    def start(self, *arguments):
        """Call snakemake in a session of its own, in the background; `wait` or `kill` must follow."""
        logs = self.folder.parent / "runs"
        logs.mkdir(exist_ok=True)
        log = logs / f"{len(list(logs.iterdir()))}.log"
        command = [*self.command(), "-s", self.checkout / "Snakefile"]
        command += ["--workflow-profile", self.checkout / "profiles" / "default"]
        command += ["--logger", "jobs", "--logger-jobs-path", log.with_suffix(".jobs")]
        with log.open("w") as output:
            process = subprocess.Popen(
                [*map(str, command), *arguments],
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.log = log
        log.with_suffix(".jobs").touch()
        return process

    def wait(self, process):
        """Wait for a started run."""
        code = process.wait(self.patience)
        started = [json.loads(line) for line in process.log.with_suffix(".jobs").read_text().splitlines()]
        names = (" ".join(filter(None, [job["rule"], job.get("video")])) for job in started if job["rule"] != "all")
        return Run(code, process.log.read_text(), Counter(names))

    def chunks(self, pattern="*/*/*.mkv"):
        """Chunks under their final names."""
        return {path for path in self.work.glob(pattern) if not path.name.startswith(".")}

    def until(self, condition, process):
        """Wait until a condition holds in a run that is still going on."""
        deadline = time.monotonic() + self.patience
        while not (found := condition()):
            assert process.poll() is None, process.log.read_text()
            assert time.monotonic() < deadline, process.log.read_text()
            time.sleep(0.02)
        return found


def replace(path, text):
    """Change a file that a running job may be reading just now."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(text)
    temporary.replace(path)


def clean_environment():
    """The environment without what the test run itself put there."""
    ours = ("PYTHONPATH", "RESTORATION_IN_FLIGHT", "SNAKEMAKE_PROFILE")
    return {name: value for name, value in os.environ.items() if name not in ours}


def kill(process):
    """Kill a run with all its jobs, as a power cut does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
