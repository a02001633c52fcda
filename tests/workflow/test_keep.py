"""Intermediates that are used up go, as far as the setting says; results and what is computed again stay the same."""

import os
import shutil
from collections import Counter

import pytest

from workflow.media import frames
from workflow.project import CLIPS, Project, jobs, kill


def begin_anew(project, keep):
    """Nothing computed, weights apart; intermediates go as *keep* says."""
    shutil.rmtree(project.work)
    shutil.rmtree(project.results)
    with project.config() as settings:
        settings["keep"] = keep
        settings["recipes"]["tiny"]["upscale"]["stability"] = 0.9


def steps_kept(project):
    return {chunk.parent.name.partition(".")[0] for chunk in project.chunks()}


@pytest.fixture(scope="session")
def settled(shared, finished):
    """The project with one more stage, and all its intermediates."""

    def make(root):
        project = finished.project.copy(root)
        begin_anew(project, "all")
        project.run()
        assert steps_kept(project) == {"frames", "upscale", "settle"}

    root, _ = shared("settled", make)
    return Project(root)


def assert_like(project, settled):
    for name in CLIPS:
        assert frames(project.restored(name)) == frames(settled.restored(name))


def test_small_keeps_what_has_the_size_of_the_source(settled, tmp_path):
    project = settled.copy(tmp_path / "copy")
    begin_anew(project, "small")
    scratch = tmp_path / "scratch"
    with project.config() as settings:
        settings["scratch"] = str(scratch)
    # That each job writes there is seen by what happens where it cannot.
    run = project.snakemake("--until", "probe")
    assert run.code != 0 and f"ERROR: scratch: there is no folder {scratch} here" in run.output
    scratch.mkdir()
    project.run()
    assert not list(scratch.iterdir())
    assert steps_kept(project) == {"frames"}
    assert_like(project, settled)
    assert not project.dry()
    # Another encode starts from there.
    with project.stage("encode") as encode:
        encode["crf"] = 30
    settling = Counter({"settle regular": 3, "settle irregular": 2})
    assert project.run() == jobs("upscale", "encode", "comparison") + settling
    assert steps_kept(project) == {"frames"}


def test_none_keeps_nothing_and_asks_for_nothing(settled, tmp_path):
    project = settled.copy(tmp_path / "copy")
    begin_anew(project, "none")
    # Killed half-way, it goes on with what is not used up yet, and leaves no more behind.
    process = project.start()
    try:
        project.until(lambda: project.chunks("*/settle.*/*.mkv"), process)
    finally:
        kill(process)
    assert project.snakemake("--unlock").code == 0
    project.run()
    assert not steps_kept(project)
    assert_like(project, settled)
    assert not project.dry()
    # A file above 1 MB, which Snakemake judges by its time.
    os.utime(project.source("irregular"))
    assert project.run() == Counter({"probe irregular": 1, "plan": 1})


def test_chunks_of_before_can_be_deleted(settled, tmp_path):
    project = settled.copy(tmp_path / "copy")
    with project.config() as settings:
        settings["keep"] = "small"
    assert not project.dry()
    assert project.snakemake("--delete-temp-output").code == 0
    assert steps_kept(project) == {"frames"}
    assert_like(project, settled)
    assert not project.dry()
