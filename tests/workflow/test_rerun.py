"""A change reruns exactly what it concerns: no more, and no less."""

import os
import shutil
from collections import Counter

import pytest

from workflow.media import frames, make_clip
from workflow.project import CLIPS, OTHER_TILE, jobs

PLAN = Counter(["plan"])
DELIVERY = jobs("encode", "comparison")
FROM_UPSCALE = jobs("upscale", "encode", "comparison")
ONE_BY_ONE = jobs("probe", "frames", "upscale", "encode", "comparison", of=["irregular"])


def touch(paths):
    """Give files a time after everything that was computed."""
    for path in paths:
        os.utime(path)


def test_nothing_changed(project):
    run = project.snakemake()
    assert run.code == 0
    assert not run.jobs
    assert "Nothing to be done" in run.output


def test_times_of_sources_library_and_scripts_mean_nothing(project):
    touch(path for path in project.checkout.rglob("*") if path.is_file())
    touch([project.source("regular")])
    assert not project.dry()


def test_fresh_checkout_elsewhere_changes_nothing(project):
    shutil.rmtree(project.checkout)
    project.checkout = project.checkout.with_name("another checkout")
    project.check_out()
    touch(path for path in project.checkout.rglob("*") if path.is_file())
    assert not project.dry()


def test_project_moved_changes_nothing(project):
    project.folder = project.folder.rename(project.folder.with_name("moved"))
    assert not project.dry()


def test_touched_large_source_is_probed_and_no_more(project):
    touch([project.source("irregular")])
    assert project.run() == jobs("probe", of=["irregular"]) + PLAN
    assert not project.dry()


def test_deleted_intermediates_cost_no_result(project):
    shutil.rmtree(project.work)
    assert project.run() == jobs("probe") + PLAN
    assert not project.dry()


def test_change_is_seen_without_intermediates(project):
    shutil.rmtree(project.work)
    with project.stage("encode") as encode:
        encode["crf"] = 35
    assert project.dry() >= DELIVERY


def test_change_is_seen_together_with_another_cut(project):
    with project.config() as settings:
        settings["chunk_frames"] = 6
        settings["recipes"]["tiny"]["encode"]["crf"] = 35
    assert project.dry() >= DELIVERY


def test_crf(project):
    with project.stage("encode") as encode:
        crf, encode["crf"] = encode["crf"], 35
    assert project.dry() == DELIVERY
    size = project.restored("regular").stat().st_size
    assert project.run() == DELIVERY
    assert project.restored("regular").stat().st_size < size
    with project.stage("encode") as encode:
        encode["crf"] = crf
    assert project.dry() == DELIVERY


def test_tile(retiled, retiled_project):
    assert retiled.jobs == FROM_UPSCALE
    assert not retiled_project.dry()
    with retiled_project.stage("upscale") as upscale:
        assert upscale["tile"] == OTHER_TILE
        upscale["tile"] = 24
    assert retiled_project.dry() == DELIVERY


def test_model(project):
    with project.stage("upscale") as upscale:
        upscale["model"] = "RealESRGAN_x4plus_anime_6B-fp16"
    # Which chunks there are is known when the plan, which waits for the weights, is made.
    assert project.dry() == PLAN + Counter(["weight"]) + DELIVERY
    with project.stage("upscale") as upscale:
        del upscale["model"]
    assert not project.dry()


def test_values_swapped_between_options(project):
    with project.stage("upscale") as upscale:
        upscale["tile"], upscale["overlap"] = upscale["overlap"], upscale["tile"]
    assert project.dry() == FROM_UPSCALE


def test_values_swapped_between_videos(project):
    with project.manifest() as rows:
        first, second = rows
        first["encode.preset"], second["encode.preset"] = second["encode.preset"], first["encode.preset"]
    assert project.dry() == DELIVERY


def test_sources_swapped_between_videos(project):
    with project.manifest() as rows:
        first, second = rows
        first["source"], second["source"] = second["source"], first["source"]
    assert project.dry() >= jobs("probe") + PLAN


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("src/restoration/stages/upscale.py", FROM_UPSCALE),
        ("src/restoration/engines/engine.py", FROM_UPSCALE),
        ("workflow/scripts/upscale.py", FROM_UPSCALE),
        ("src/restoration/media/encode.py", DELIVERY),
        ("src/restoration/review/comparison.py", jobs("comparison", "page")),
        ("src/restoration/provenance/premis.py", jobs("provenance", "page")),
    ],
)
def test_code(project, file, expected):
    path = project.checkout / file
    text = path.read_text()
    age = path.stat().st_mtime
    path.write_text(f"{text}\n# A comment, and a text that stands alone:\n'as a docstring does'\n")
    assert not project.dry()
    path.write_text(f"{text}\nCHANGED = True\n")
    os.utime(path, (age, age))
    assert project.dry() == expected


def test_manifest_row_added_and_removed(project):
    make_clip(project.source("added"), shots=(12,), pts=[3600 * i for i in range(12)], seed=3)
    with project.manifest() as rows:
        rows.append(rows[0] | {"video": "added", "source": "sources/added.mp4"})
    everything = jobs("probe", "frames", "upscale", "encode", "comparison", of=["added"])
    assert project.run() == everything + PLAN
    with project.manifest() as rows:
        rows.pop(0)
    assert project.run() <= PLAN
    assert not project.dry()


def test_override_of_one_video(project):
    with project.manifest() as rows:
        rows[1]["upscale.overlap"] = "4"
    assert project.dry() == jobs("upscale", "encode", "comparison", of=["irregular"])


def test_source_replaced_by_another_clip_with_an_older_time(project):
    source = project.source("irregular")
    before = frames(project.restored("irregular"))
    make_clip(source, **CLIPS["irregular"] | {"seed": 4})
    os.utime(source, (0, 0))
    assert project.run() == ONE_BY_ONE + PLAN
    assert frames(project.restored("irregular")) != before
    assert not project.dry()
