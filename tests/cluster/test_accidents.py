"""What goes wrong on a cluster costs the work that it hit and nothing else: the result is the same, frame for frame."""

import shutil
import subprocess
import time
from collections import Counter

import pytest

from cluster.project import HOLD
from workflow.media import frames, packets
from workflow.project import kill
from workflow.test_crash import identity, sound_chunks

pytestmark = pytest.mark.timeout(1200)

TARGET = "results/regular/regular.mp4"
GREEDY = """
import time
ballast = b"x" * 2_000_000_000
time.sleep(600)
"""


def assert_restored(project, local, *videos):
    """These videos are as without a cluster, and every chunk is there and whole."""
    for video in videos:
        assert frames(project.restored(video)) == frames(local.restored(video))
        assert packets(project.restored(video), "video") == packets(local.restored(video), "video")
    chunks = {chunk.relative_to(project.work) for chunk in sound_chunks(project)}
    assert chunks == {chunk.relative_to(local.work) for chunk in local.chunks()}
    assert not list(project.work.rglob(".*.part*"))


def submit(project, action):
    """Ask for the result of `regular`, and take this action on the run; how it ended."""
    process = project.start(TARGET)
    try:
        action(process)
        return project.wait(process)
    finally:
        kill(process)


def test_videos_that_cannot_be_restored_fail_alone_and_are_named(project, local):
    project.source("garbage").write_bytes(b"no video" * 1000)
    with project.manifest() as rows:
        rows.append(rows[0] | {"video": "garbage", "source": "sources/garbage.mp4"})
    project.forget_chunks(1)
    shutil.rmtree(project.results / "irregular")
    (bad, *_), (after, *_) = (sorted(project.chunks(f"irregular/{step}.*/*.mkv")) for step in ("frames", "upscale"))
    after.unlink()
    content = bytearray(bad.read_bytes())
    content[len(content) // 2] ^= 255
    bad.write_bytes(content)

    run = project.snakemake()
    assert run.code != 0
    assert run.jobs["upscale irregular"] == 3 and run.jobs["unreadable garbage"] == 1
    assert "Traceback" not in run.output
    log = after.relative_to(project.work).with_suffix(".log")
    assert f"logs/{log}" in run.output
    assert f"{bad.relative_to(project.folder)}: " in (project.folder / "logs" / log).read_text()
    assert "ERROR: sources/garbage.mp4: cannot be read as video" in run.output
    assert frames(project.restored("regular")) == frames(local.restored("regular"))

    bad.unlink()
    with project.manifest() as rows:
        del rows[-1]
    project.run()
    assert_restored(project, local, "regular", "irregular")


def test_cancelled_slow_and_large_jobs_are_repeated_with_more(project, local):
    project.edit("workflow/rules/common.smk", "mem_mb * attempt", "mem_mb // 4 * attempt")
    project.forget_chunks(3)
    project.add_faults("upscale", HOLD, HOLD, GREEDY)

    def accidents(process):
        cancelled, slow = project.held(2, process)
        subprocess.run(["scancel", cancelled["id"]], check=True)
        subprocess.run(["scontrol", "update", f"JobId={slow['id']}", "EndTime=now+1second"], check=True)

    run = submit(project, accidents)
    assert run.code == 0, run.output
    assert_restored(project, local, "regular")
    tried = project.slurm_jobs("upscale")
    assert Counter(job.state for job in tried) == {"CANCELLED": 1, "TIMEOUT": 1, "FAILED": 1, "COMPLETED": 3}
    logs = project.folder.glob("logs/slurm/rule_upscale/*/*.log")
    assert sum("exceeded memory limit" in log.read_text() for log in logs) == 1
    assert {(job.memory, job.minutes) for job in tried if job.state != "TIMEOUT"} == {(1500, 240), (3000, 480)}


def test_a_crashed_node_and_a_controller_that_is_away(project, local, slurm):
    project.forget_chunks(3)
    project.add_faults("upscale", *[HOLD] * 6)
    hit = []

    def accidents(process):
        held = project.held(3, process)
        hit.extend(job for job in held if job["node"] == held[0]["node"])
        slurm("crash-node", held[0]["node"])
        project.held(3 + len(hit), process)
        time.sleep(8)  # the controller writes down what it knows every 5 seconds
        slurm("crash-controller")
        project.release()
        project.until(lambda: len(project.chunks("regular/upscale.*/*.mkv")) == 3, process)
        time.sleep(3)  # that jobs end and snakemake asks while nobody answers
        slurm("start")

    run = submit(project, accidents)
    assert run.code == 0, run.output
    assert_restored(project, local, "regular")
    assert Counter(job.state for job in project.slurm_jobs("upscale")) == {"NODE_FAIL": len(hit), "COMPLETED": 3}


@pytest.mark.parametrize("orphans", ["cancelled", "left"])
def test_killed_run(project, local, orphans):
    project.forget_chunks(3)
    project.add_faults("upscale", HOLD, HOLD)
    process = project.start(TARGET)
    try:
        project.held(2, process)
        project.until(lambda: "(Rule: upscale)" in process.log.read_text(), process)
    finally:
        kill(process)
    kept = sound_chunks(project)
    assert [job.state for job in project.slurm_jobs("upscale") if job.state != "COMPLETED"] == ["RUNNING"] * 2

    if orphans == "cancelled":
        told = subprocess.run("slurm/orphans.sh", cwd=project.folder, check=True, stdout=subprocess.PIPE, text=True)
        assert told.stdout.startswith("Cancelled: ")
        assert Counter(job.state for job in project.slurm_jobs("upscale")) == {"CANCELLED": 2, "COMPLETED": 1}
    assert project.snakemake("--unlock").code == 0
    process = project.start(TARGET)
    try:
        if orphans == "left":
            # They write what is there already, and may be read.
            project.until(lambda: len(project.chunks("regular/upscale.*/*.mkv")) == 3, process)
            project.release()
        run = project.wait(process)
    finally:
        kill(process)
    assert run.code == 0, run.output
    assert run.jobs == {"upscale regular": 2, "encode regular": 1}
    while any(job.state == "RUNNING" for job in project.slurm_jobs()):
        time.sleep(0.5)
    assert_restored(project, local, "regular")
    assert {chunk: identity(chunk) for chunk in kept} == kept
    assert not project.dry(TARGET)


def test_full_disk(project, local):
    content = project.folder / "content"
    project.work.rename(content)
    project.work.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", project.work], check=False)
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        shutil.copytree(content, project.work, symlinks=True, dirs_exist_ok=True)
        project.forget_chunks(1)
        ballast = project.work / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(project.work).free - 20_000))
        kept = sound_chunks(project)
        run = project.snakemake(TARGET, "--retries", "0")
        assert run.code != 0
        assert "the disk is full" in run.output
        assert set(project.chunks()) == set(kept)
        ballast.unlink()
        assert project.run(TARGET) == {"upscale regular": 1, "encode regular": 1}
        assert {chunk: identity(chunk) for chunk in kept} == kept
        assert_restored(project, local, "regular")
    finally:
        subprocess.run(["umount", "--lazy", project.work], check=True)
