"""What the user edits while jobs run is never mixed into one result: the jobs that it concerns fail, loudly."""

import shlex
from collections import Counter

import pytest

from workflow.media import frames, packets
from workflow.project import OTHER_TILE, REPORTS, jobs, kill

TARGET = "results/regular/comparison.png"
MESSAGE = "while the run was in flight"
THIRD_TILE = 20
UPSCALER = "src/restoration/stages/upscale.py"


@pytest.fixture
def cluster(tmp_path):
    """Arguments for a cluster whose nodes are background processes; their output goes to `nodes.log`."""
    submit = tmp_path / "submit.sh"
    submit.write_text(f'sh "$1" >>{shlex.quote(str(tmp_path / "nodes.log"))} 2>&1 &\necho $!\n')
    return [
        *("--executor", "cluster-generic", "--cluster-generic-submit-cmd", f"sh {shlex.quote(str(submit))}"),
        *("--jobs", "1", "--seconds-between-status-checks", "1"),
    ]


@pytest.fixture
def arguments(request):
    """Arguments for one job at a time: on this machine, or in a cluster."""
    return ["--cores", "1"] if request.param == "local" else request.getfixturevalue("cluster")


def edit_after_first_chunk(project, edit, arguments):
    """Start a run that enlarges with THIRD_TILE, edit something once it has a chunk; how it ended, and its chunks."""
    with project.stage("upscale") as upscale:
        upscale["tile"] = THIRD_TILE
    before = project.chunks("*/upscale.*/*")
    process = project.start(*arguments, TARGET)
    try:
        first = project.until(lambda: project.chunks("*/upscale.*/*.mkv") - before, process)
        edit()
        run = project.wait(process)
    finally:
        kill(process)
    return run, first, project.chunks("*/upscale.*/*.mkv") - before


@pytest.mark.parametrize("arguments", ["local", "cluster"], indirect=True)
def test_settings_edited(project, retiled, arguments, tmp_path):
    def edit():
        with project.stage("upscale") as upscale:
            upscale["tile"] = OTHER_TILE

    run, first, made = edit_after_first_chunk(project, edit, arguments)
    assert run.code != 0
    nodes = tmp_path / "nodes.log"
    assert MESSAGE in run.output + (nodes.read_text() if nodes.exists() else "")
    # The job that was already at work may have finished; no other began.
    assert len(first) == 1 and len(made) <= 2
    assert "encode regular" not in run.jobs

    assert project.run(TARGET) == jobs("upscale", "comparison", of=["regular"]) + Counter(["encode regular"])
    restored, expected = project.restored("regular"), retiled.project.restored("regular")
    assert frames(restored) == frames(expected)
    assert packets(restored, "video") == packets(expected, "video")
    assert not project.dry(TARGET)


def test_code_edited(project):
    path = project.checkout / UPSCALER
    run, first, made = edit_after_first_chunk(
        project, lambda: path.write_text(f"{path.read_text()}\nCHANGED = True\n"), ["--cores", "1"]
    )
    assert run.code != 0
    assert MESSAGE in run.output
    assert len(first) == 1 and len(made) <= 2
    assert "encode regular" not in run.jobs
    assert project.dry() == jobs("upscale", "encode", "comparison")


def test_edit_that_does_not_concern_the_jobs_lets_them_finish(project):
    def edit():
        with project.manifest() as rows:
            rows[1]["upscale.overlap"] = "4"

    run, _, made = edit_after_first_chunk(project, edit, ["--cores", "2"])
    assert run.code == 0, run.output
    assert len(made) == 3
    reports = Counter(f"{rule} regular" for rule in REPORTS)
    assert project.dry() == jobs("upscale", "encode", "comparison", of=["irregular"]) + reports
