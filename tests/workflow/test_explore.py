"""Frames instead of videos: grids of settings, of which only new cells are computed, and images with an index."""

import json
import shutil
from collections import Counter

import pandas as pd
import pytest
from PIL import Image

from restoration.media.mark import SOURCE_TYPE, read_mark
from workflow.project import REPOSITORY, Project

COUNTED = ("probe", "frames", "upscale", "sheet", "plan")


@pytest.fixture
def fresh(tmp_path):
    project = Project.create(tmp_path)
    shutil.copytree(REPOSITORY / "config" / "weights", project.folder / "config" / "weights")
    return project


def test_only_new_cells_are_computed(fresh):
    with fresh.config() as settings:
        settings["explore"] = {
            "videos": ["irregular"],
            "sample": "at 0.3 0.7",
            "grid": {"upscale.strength": [0.5, 1], "ingest.rotation": ["0", "90", "180"]},
        }
    page = fresh.results / "irregular" / "irregular.explore.html"
    first = by_rule(fresh.run("explore"))
    assert {rule: first[rule] for rule in COUNTED} == {"probe": 6, "frames": 6, "upscale": 6, "sheet": 1, "plan": 1}
    assert page.read_text().count("<figure>") == 2 * 7
    assert not fresh.restored("irregular").exists()
    assert fresh.dry("explore") == Counter()
    with fresh.config() as settings:
        settings["explore"]["grid"]["ingest.rotation"].append("270")
    second = by_rule(fresh.run("explore"))
    assert {rule: second[rule] for rule in COUNTED} == {"probe": 2, "frames": 2, "upscale": 2, "sheet": 1, "plan": 1}
    assert page.read_text().count("<figure>") == 2 * 9


def test_without_a_grid_it_says_what_is_missing(fresh):
    run = fresh.snakemake("explore")
    assert run.code
    assert "config: explore.grid: there is nothing to compare" in run.output


def test_single_frames_become_images_with_an_index(fresh):
    with fresh.manifest() as rows:
        rows[:] = [rows[1] | {"ingest.sample": "every 0.5", "encode.image": "jpg"}]
    done = by_rule(fresh.run())
    assert done["encode"] == done["comparison"] == 0
    table = pd.read_csv(fresh.results / "irregular" / "irregular.index.tsv", sep="\t")
    assert (table["time"] - [0, 0.5]).between(-0.05, 0.0005).all()
    for file in table["file"]:
        with Image.open(fresh.results / "irregular" / file) as image:
            assert image.size == (96, 64)
        assert read_mark(fresh.results / "irregular" / file) == SOURCE_TYPE
    assert fresh.dry() == Counter()
    record = json.loads((fresh.results / "irregular" / "irregular.provenance.json").read_text())
    assert [file["step"] for file in record["results"] if "step" in file] == ["images"] * 2
    assert {stage["step"] for stage in record["stages"]} == {"probe", "frames", "upscale", "images"}
    assert fresh.snakemake("verify").code == 0
    image = fresh.results / "irregular" / table["file"][1]
    image.write_bytes(image.read_bytes()[:-3] + b"abc")
    found = fresh.snakemake("verify")
    assert found.code and f"{table['file'][1]}: its content changed" in found.output


def by_rule(jobs):
    """How many jobs of each rule there were."""
    counts = Counter()
    for job, count in jobs.items():
        counts[job.partition(" ")[0]] += count
    return counts
