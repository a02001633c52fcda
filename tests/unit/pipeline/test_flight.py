"""Edits while a run is in flight: those that concern a job stop it, others do not."""

import os
from pathlib import Path

import pytest
import yaml

from restoration.errors import RestorationError
from restoration.pipeline.flight import VARIABLE, remember, require_unchanged


@pytest.fixture
def flying(project, monkeypatch):
    """A run that has begun with config.yaml and `--config threads=2`; gives `job(video, step)`, which may begin."""
    monkeypatch.setenv(VARIABLE, "")
    Path("config.yaml").write_text(yaml.safe_dump(project.config))
    overrides = {"threads": 2, "recipes": {"film": {"upscale": {"tile": 64}}}}
    project.config["recipes"]["film"]["upscale"]["tile"] = 64
    started = project.configuration()
    remember([Path("config.yaml")], overrides, started)
    assert started.videos["a"].steps["upscale"]["tile"] == 64

    def job(video, step):
        require_unchanged(video, step, started.spec(video, step))

    return job


def edit(old, new, file="config.yaml"):
    text = Path(file).read_text()
    assert old in text
    Path(file).write_text(text.replace(old, new))


def refused(job, video, step):
    with pytest.raises(RestorationError, match=f"settings of {step} changed while the run was in flight.*same command"):
        job(video, step)


ALL = [(video, step) for video in "abc" for step in ("probe", "frames", "encode", "comparison")] + [("a", "upscale")]


def test_no_edit(flying):
    for video, step in ALL:
        flying(video, step)


def test_no_run(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    require_unchanged("x", "y", "z")


def test_an_edit_that_concerns_the_job(flying):
    edit("crf: 20", "crf: 21")
    refused(flying, "a", "encode")
    refused(flying, "b", "encode")
    for video, step in [("a", "upscale"), ("a", "frames"), ("a", "probe"), ("c", "encode"), ("a", "comparison")]:
        flying(video, step)


def test_an_edit_of_another_video(flying):
    edit("b\tb.mp4\tfilm", "b\tb.mp4\tcopy", "manifest.tsv")
    for step in ("probe", "frames", "upscale", "encode", "comparison"):
        flying("a", step)
    refused(flying, "b", "upscale")
    refused(flying, "b", "encode")
    flying("b", "frames")


def test_a_comment(flying):
    edit("recipes:", "# a remark\nrecipes:")
    edit("a\ta.mp4", "\na\ta.mp4", "manifest.tsv")
    for video, step in ALL:
        flying(video, step)


def test_a_video_that_left_the_manifest(flying):
    edit("b\tb.mp4\tfilm\n", "", "manifest.tsv")
    refused(flying, "b", "frames")
    flying("a", "frames")


def test_the_registry(flying):
    edit("1" * 64, "9" * 64, "models.yaml")
    refused(flying, "a", "upscale")
    flying("a", "frames")


def test_settings_of_the_command_line_stay_on_top(flying):
    edit("outscale: 2", "outscale: 2\n      tile: 256")
    flying("a", "upscale")


def test_what_does_not_concern_results(flying):
    edit("manifest: manifest.tsv", "manifest: manifest.tsv\ndevice: auto\nbatch: 8\nchunk_frames: 7")
    for video, step in ALL:
        flying(video, step)


def test_an_edit_that_is_wrong_is_explained(flying):
    edit("crf: 20", "crf: 99")
    with pytest.raises(RestorationError, match=r"recipes\.film\.encode\.crf: found 99"):
        flying("a", "frames")
    edit("crf: 99", "crf: 20")
    flying("a", "frames")


def test_a_config_that_is_gone(flying):
    Path("config.yaml").unlink()
    with pytest.raises(RestorationError, match=r"config\.yaml: cannot be read"):
        flying("a", "frames")


def test_a_config_that_is_being_saved(flying):
    Path("config.yaml").write_text("")
    with pytest.raises(RestorationError):
        flying("a", "frames")


def test_jobs_inherit_what_is_remembered(flying):
    assert os.environ[VARIABLE].startswith("{")
