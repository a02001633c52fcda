"""Old photographs' networks through the whole workflow, with weights by a formula: frames, masks, and no colour where
there was none."""

import hashlib

import numpy as np
import pytest
import torch
import yaml

import old_photos as cases
from media_factory import pictures
from restoration.media.chunks import read_chunk
from workflow.project import Project
from workflow.test_colour import read, write

GRAY, COLOURED = 12, 8
"""Frames of the shot without colour, of which one is there twice, and of the one with it."""


@pytest.fixture
def project(tmp_path):
    """A clip of two shots; a registry with all networks but the decoder, which the recipe names itself."""
    project = Project.create(tmp_path)
    gray = pictures(GRAY, 64, 48, gray=True)
    gray[2] = gray[1]
    write(project.source("old"), np.concatenate([gray, pictures(2 * COLOURED, 64, 48, shots=2)[COLOURED:]]))
    nets = project.folder / "nets"
    nets.mkdir()

    def saved(name, content):
        torch.save(content, nets / f"{name}.pth")
        return {"file": f"nets/{name}.pth", "sha256": hashlib.sha256((nets / f"{name}.pth").read_bytes()).hexdigest()}

    def entry(task, name, content, **partners):
        about = saved(name, content)
        usual = {"task": task, "scale": 1, "licence": "MIT", "format": "pth", "sha256": about["sha256"]}
        return usual | partners | {"sources": [{"file": about["file"]}]}

    registry = project.folder / "config" / "models.yaml"
    partners = {"encoder": "encoder", "detector": "finder"}
    models = {
        "scratches": entry("retouch", "mapping", cases.state("scratches"), **partners),
        "encoder": entry("autoencode", "vae", cases.state("autoencoder")),
        "finder": entry("find_scratches", "finder", {"model_state": cases.state("finder"), "epoch": 1}),
    }
    registry.write_text(registry.read_text() + "\n" + yaml.safe_dump(models))
    with project.config() as settings:
        # What networks make that have learned nothing is beyond all limits.
        settings["limits"] = {measure: {"failure": None} for measure in ("psnr", "matrix")}
        retouch = {
            "model": "scratches", "decoder": saved("other", cases.state("autoencoder") | {}),
            "min_score": 0.555, "detect_at": cases.SHORT_SIDE,
        }  # fmt: skip
        encode = {"codec": "ffv1", "container": "mkv"}
        settings |= {"chunk_frames": 12, "recipes": {"photo": {"retouch": retouch, "encode": encode}}}
    with project.manifest() as rows:
        rows[:] = [{"video": "old", "source": "sources/old.mp4", "recipe": "photo"}]
    return project


def chunks(project, pattern):
    """All frames of the chunks that are there now, in order."""
    (folder,) = (path for path in project.work.glob("old/retouch.*"))
    return np.stack([frame for path in sorted(folder.glob(pattern)) for frame in read_chunk(path)])


def test_retouch(project):
    run = project.snakemake()
    assert run.code == 0, run.output
    assert run.jobs["retouch old"] == 2 and run.jobs["weight"] == 4
    restored, source = read(project.results / "old" / "old.mkv"), read(project.source("old"))
    assert restored.shape == source.shape
    assert (restored[:GRAY] == restored[:GRAY, ..., :1]).all(), "what had no colour has none"
    assert (np.ptp(restored[GRAY:], axis=-1) > 10).mean() > 0.1
    assert (restored != source).mean() > 0.5
    masks, frames = chunks(project, "*[0-9].mask.mkv"), chunks(project, "*[0-9].mkv")
    np.testing.assert_array_equal(frames, restored)
    assert masks.shape == source.shape and not masks[..., [0, 2]].any()
    assert 0.01 < (masks[..., 1] == 255).mean() < 0.99 and set(np.unique(masks)) == {0, 255}
    np.testing.assert_array_equal(masks[1], masks[2])
    assert not project.dry()

    # Other chunks, the same frames and masks.
    with project.config() as settings:
        settings["chunk_frames"] = 100
    assert project.run()["retouch old"] == 1
    whole = f"0000000-{GRAY + COLOURED - 1:07d}"
    np.testing.assert_array_equal(chunks(project, f"{whole}.mkv"), restored)
    np.testing.assert_array_equal(chunks(project, f"{whole}.mask.mkv"), masks)
