"""Mistakes of the user and damaged sources: all are named, and none costs more than it must."""

from collections import Counter

import pytest

from workflow.media import frames, make_clip
from workflow.project import Project, jobs

SHORT = {"shots": (12,), "pts": [3600 * i for i in range(12)], "seed": 5}
BAD = {
    "missing": "no such file",
    "empty": "the file is empty",
    "cut": "cannot be read as video",
    "cut-late": "truncated",
    "text": "cannot be read as video",
    "folder": "this is a folder",
}
"""Sources that cannot be restored, and what is said of each."""


def test_five_mistakes_are_told_at_once(tmp_path):
    project = Project.create(tmp_path)
    with project.config() as settings:
        settings["thread"] = 1
        settings["recipes"]["tiny"]["upscale"]["tile"] = -1
        settings["recipes"]["tiny"]["encode"]["preset"] = "fastest"
    with project.manifest() as rows:
        rows[0]["recipe"] = "tinny"
        rows[1]["video"] = "../irregular"
    run = project.snakemake()
    assert run.code != 0
    assert "5 mistakes" in run.output
    for place in ("thread", "tile", "preset", "'tinny'", "../irregular"):
        assert sum(place in line for line in run.output.splitlines()) == 1, run.output
    for hint in ("'threads'", "'tiny'", "line 2", "line 3", "-1", "fastest"):
        assert hint in run.output
    assert "Traceback" not in run.output
    assert not run.jobs
    assert not project.work.exists() and not project.results.exists()


@pytest.fixture
def damaged(tmp_path):
    """One good source among bad ones."""
    project = Project.create(tmp_path)
    whole = project.source("whole")
    make_clip(whole, **SHORT)
    make_clip(project.source("cut-late"), **SHORT, options={"movflags": "+faststart"})
    data = {
        "empty": b"",
        "text": b"This is not a video.\n" * 100,
        "cut": whole.read_bytes(),
        "cut-late": project.source("cut-late").read_bytes(),
    }
    for name, content in data.items():
        project.source(name).write_bytes(content[: len(content) * 6 // 10] if name.startswith("cut") else content)
    project.source("folder").mkdir()
    # Without upscaling, which is not what this is about and takes long.
    with project.manifest() as rows:
        rows[:] = [
            rows[0] | {"video": name, "source": f"sources/{name}.mp4", "upscale": "off"} for name in ("whole", *BAD)
        ]
    return project


def test_bad_sources_fail_alone(damaged):
    first = damaged.snakemake()
    assert_bad_ones_are_named(first)
    assert len(frames(damaged.restored("whole"))[1]) == 12
    assert (damaged.results / "whole" / "comparison.png").exists()
    assert not any((damaged.results / name).exists() for name in BAD)

    again = damaged.snakemake()
    assert_bad_ones_are_named(again)
    assert not [job for job in again.jobs if job.endswith("whole")]

    damaged.source("folder").rmdir()
    for seed, name in enumerate(BAD, start=6):
        make_clip(damaged.source(name), **SHORT | {"seed": seed})
    made = damaged.run()
    assert not [job for job in made if job.endswith("whole") or job.startswith("unreadable")]
    for name in BAD:
        assert len(frames(damaged.restored(name))[1]) == 12
    assert not damaged.dry()


def assert_bad_ones_are_named(run):
    """All bad sources, each with its reason in the line that names it, and no other failure."""
    assert run.code != 0
    for name, reason in BAD.items():
        said = [line for line in run.output.splitlines() if line.startswith(f"{name} ") and "ERROR" in line]
        assert said and all(reason in line and f"sources/{name}.mp4" in line for line in said), run.output
    failed = Counter({job: count for job, count in run.jobs.items() if job.startswith("unreadable")})
    assert failed == jobs("unreadable", of=BAD)
    assert "Traceback" not in run.output
