"""The workflow on a Slurm cluster: the same result, and every job where it belongs."""

import json
import shutil

import numpy as np
import pytest
import yaml

from cluster.project import HOLD, ClusterProject
from workflow.project import REPOSITORY, Project, kill
from workflow.test_colour import read, write
from workflow.test_faces import portrait

pytestmark = pytest.mark.timeout(1200)

ON_GPUS = {"clean", "colorize", "upscale", "detect", "track", "faces"}
ON_CPUS = {
    *("probe", "frames", "hints", "steer", "stabilize", "settle", "encode", "record", "comparison", "provenance"),
    *("measure", "page"),
}


@pytest.fixture
def everything(tmp_path):
    """A face in two chunks that pass all stages, restored without a cluster."""
    project = Project.create(tmp_path / "everything")
    shutil.copytree(REPOSITORY / "config" / "weights", project.folder / "config" / "weights")
    write(project.source("face"), np.stack(list(portrait())))
    (project.folder / "hints.yaml").write_text(
        yaml.safe_dump({"points": [{"frame": 3, "x": 80, "y": 64, "colour": "#30c030"}]})
    )
    with project.config() as settings:
        settings["chunk_frames"] = 4
        settings["recipes"]["tiny"] = {
            "clean": {"model": "waifu2x-cunet-art-1x-noise1-fp16"},
            "colorize": {"model": "embedded-colorizer", "force": True, "hints": "hints.yaml"},
            "upscale": {"outscale": 2, "stability": 0.9},
            "faces": {},
            "encode": {"codec": "ffv1", "container": "mkv"},
        }
    with project.manifest() as rows:
        rows[:] = [{"video": "face", "source": "sources/face.mp4", "recipe": "tiny"}]
    project.run()
    return project


def test_a_manifest_is_restored_as_without_a_cluster(everything, tmp_path):
    project = ClusterProject.of(everything, tmp_path / "copy")
    shutil.rmtree(project.work)
    shutil.rmtree(project.results)
    next((project.folder / "weights").glob("embedded-colorizer.*")).unlink()
    assert project.run()["weight"] == 1
    for result in ("face/face.mkv", "face/face.faces.mkv"):
        np.testing.assert_array_equal(read(project.results / result), read(everything.results / result))
    record = "face/face.faces.json"
    assert json.loads((project.results / record).read_text()) == json.loads((everything.results / record).read_text())
    on = {
        partition: {job.rule for job in project.slurm_jobs() if job.partition == partition}
        for partition in ("cpu", "gpu")
    }
    assert on == {"cpu": ON_CPUS, "gpu": ON_GPUS}  # and what may need a network, here
    # `cores` of profiles/default does not bind them.
    assert {job.cpus for job in project.slurm_jobs("encode")} == {8}
    assert not project.dry()


def test_each_job_has_a_gpu_of_its_own(project):
    project.forget_chunks(3)
    project.add_faults("upscale", HOLD, HOLD, HOLD)
    process = project.start("results/regular/regular.mp4")
    try:
        held = project.held(3, process)
    finally:
        kill(process)
    assert all(job["node"].startswith("gpu") and job["gpus"] in ("0", "1", "2") for job in held)
    assert len({(job["node"], job["gpus"]) for job in held}) == 3
