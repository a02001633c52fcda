"""A run killed at any moment goes on where it was, and ends with the same video.

RESTORATION_KILLS sets the number of kills, RESTORATION_SEED their moments.
"""

import base64
import os
import random
import time
from contextlib import suppress
from subprocess import TimeoutExpired

from restoration.media.chunks import read_chunk, read_hashes
from workflow.media import frames, packets
from workflow.project import CLIPS, kill

KILLS = int(os.environ.get("RESTORATION_KILLS", "3"))
SEED = int(os.environ.get("RESTORATION_SEED", "1"))


def sound_chunks(project):
    """Identity of every chunk that is there, each proved whole."""
    found = {}
    for chunk in project.chunks():
        assert len(list(read_chunk(chunk))) == len(read_hashes(chunk))
        found[chunk] = identity(chunk)
    return found


def identity(path):
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns


def unregistered(project):
    """Outputs of jobs that Snakemake had not seen ending: it runs these again, whatever is there."""
    markers = (project.folder / ".snakemake" / "incomplete").rglob("*")
    names = (base64.b64decode(marker.name).decode() for marker in markers if marker.is_file())
    return {project.folder / name for name in names}


def being_written(project):
    """Chunks and results under any name, temporary ones, too."""
    return {*project.work.glob("*/upscale.*/*.mkv"), *project.results.glob("*/*.mp4")}


def strike(project, process, moment, in_the_act):
    """Kill a run after *moment* seconds, or as soon after that as it begins to write; False if it ended before."""
    with suppress(TimeoutExpired):
        process.wait(moment)
    known = being_written(project)
    while in_the_act and process.poll() is None and not being_written(project) - known:
        time.sleep(0.002)
    alive = process.poll() is None
    kill(process)
    return alive


def run_with_kills(project, moments, expected):
    """Run to the end, killed at each of these moments (seconds after a start) that comes in time; how many did."""
    kept = {}
    kills = 0
    for number, moment in enumerate(moments):
        process = project.start()
        if not strike(project, process, moment, in_the_act=number % 2 == 0):
            assert process.returncode == 0, process.log.read_text()
            break
        kills += 1
        there = sound_chunks(project)
        for name in CLIPS:
            if project.restored(name).exists():
                assert frames(project.restored(name)) == expected[name]
        assert_kept(kept)
        pending = unregistered(project)
        kept = {chunk: known for chunk, known in there.items() if chunk not in pending}
        assert project.snakemake("--unlock").code == 0
    project.run()
    assert_kept(kept)
    return kills


def assert_kept(chunks):
    for chunk, known in chunks.items():
        assert identity(chunk) == known, f"{chunk} was finished and made again"


def test_killed_runs_end_alike(finished, tmp_path):
    rng = random.Random(SEED)
    expected = {name: frames(finished.project.restored(name)) for name in CLIPS}
    left = KILLS
    while left > 0:
        project = finished.project.copy(tmp_path / f"{left} left")
        project.forget()
        moments = [rng.uniform(1.5, 0.6 * finished.seconds) for _ in range(left)]
        left -= run_with_kills(project, moments, expected)
        for name in CLIPS:
            restored, uninterrupted = project.restored(name), finished.project.restored(name)
            assert frames(restored) == expected[name]
            assert packets(restored, "video") == packets(uninterrupted, "video")
            assert packets(restored, "audio") == packets(uninterrupted, "audio")
        names = {chunk.relative_to(project.work) for chunk in project.chunks()}
        assert names == {chunk.relative_to(finished.project.work) for chunk in finished.project.chunks()}
        assert not project.dry()
