"""The commands that users are told, to the letter."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

from restoration.models.registry import load_registry
from workflow.media import frames, make_clip
from workflow.project import PATIENCE, REPOSITORY, Project, clean_environment

NOT_IN_A_CLONE = (".*", "__pycache__", "*.egg-info", "work", "results", "downloads", "*.??????????.safetensors")


@pytest.fixture
def clone(tmp_path):
    """Call `clone("snakemake", …)`: it runs in a copy of the repository, on a machine without a GPU."""
    root = tmp_path / "clone"
    shutil.copytree(REPOSITORY, root, symlinks=True, ignore=shutil.ignore_patterns(*NOT_IN_A_CLONE))
    environment = clean_environment() | {"CUDA_VISIBLE_DEVICES": ""}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])

    def call(*command):
        done = subprocess.run(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    call.root, call.environment = root, environment
    return call


def test_dry_run(clone):
    output = clone("snakemake", "-n")
    assert "probe" in output and "kinescope-demo" in output
    assert "dry-run" in output
    assert not (clone.root / "work").exists()


def test_dry_run_with_gpu_profile(clone):
    output = clone("snakemake", "--profile", "gpu", "-n")
    assert "Using profiles gpu" in output
    assert "kinescope-demo" in output


def test_dry_run_with_slurm_profile(clone):
    output = clone("snakemake", "--profile", "slurm", "-n")
    assert "Using profiles slurm" in output
    assert "slurm_partition=cpu" in output
    assert "kinescope-demo" in output


def test_gpu_profile_counts_what_is_there(clone):
    (clone.root / "Snakefile").write_text("rule all:\n    resources: gpu=1\n    shell: 'true'\n")
    settings = clone.root / "profiles" / "gpu" / "settings.yaml"
    settings.write_text(settings.read_text().replace("jobs_per_gpu: 1", "jobs_per_gpu: 2"))
    assert "gpu=2" in clone("snakemake", "--profile", "gpu").replace('Resource("gpu", 2)', "2")
    clone.environment["CUDA_VISIBLE_DEVICES"] = "0,3,5"
    assert "gpu=6" in clone("snakemake", "--profile", "gpu").replace('Resource("gpu", 6)', "6")


def test_gpu_profile_without_gpu_goes_to_the_cpu_and_says_so(clone):
    make_clip(clone.root / "tiny.mp4", shots=(12,), pts=[3600 * i for i in range(12)], seed=1)
    # Whatever stages the recipe has, its networks must come with the code: tests fetch nothing.
    (clone.root / "config" / "manifest.tsv").write_text(
        "video\tsource\trecipe\tcolorize.model\tfaces.model\n"
        "tiny\ttiny.mp4\tkinescope\tembedded-colorizer\trealesr-animevideov3-fp16\n"
    )
    output = clone("snakemake", "--profile", "gpu")
    assert "NOTICE: no GPU found, running on the CPU" in output
    assert len(frames(clone.root / "results" / "tiny" / "tiny.mp4")[1]) == 12


def test_weights(tmp_path):
    project = Project.create(tmp_path)
    models = ["realesr-animevideov3-fp16", "RealESRGAN_x4plus_anime_6B-fp16"]
    with project.manifest() as rows:
        for row, model in zip(rows, models, strict=True):
            row["upscale.model"] = model
    assert project.run("weights") == {"weights": 1, "weight": 2}
    made = sorted((project.folder / "weights").glob("*.safetensors"))
    assert [path.name.partition(".")[0] for path in made] == sorted(models)
    registry = load_registry(project.folder / "config" / "models.yaml")
    for path in made:
        with safe_open(path, "numpy") as file:
            assert file.keys()
            assert file.metadata()["source_sha256"] == registry[path.name.partition(".")[0]].sha256
        assert path.with_suffix(".openvino").exists()
    assert not project.dry("weights")
    assert not project.work.exists()
