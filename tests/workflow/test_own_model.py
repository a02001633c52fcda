"""Networks that a user brings: frames cleaned by a file of nunif, then enlarged to a height, by files in a recipe."""

import hashlib

import pytest
import torch
from spandrel.architectures.Compact import Compact

from restoration.models.waifu2x import VGG7
from workflow.media import SIZE, frames
from workflow.project import jobs


@pytest.fixture
def own(project):
    """A project whose recipe cleans and enlarges with seeded networks in files beside it."""
    (project.folder / "nets").mkdir()

    torch.manual_seed(1)
    nunif = {"nunif_model": 1, "name": "waifu2x.vgg_7", "kwargs": {}, "state_dict": VGG7().state_dict()}

    def saved(scale, checkpoint):
        path = project.folder / "nets" / f"x {scale}.pth"
        torch.save(checkpoint, path)
        return {"file": f"nets/{path.name}", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}

    with project.config() as settings:
        # What networks make that have learned nothing is beyond all limits.
        settings["limits"] = {measure: {"failure": None} for measure in ("psnr", "matrix")}
        settings["recipes"]["tiny"]["clean"] = {"model": saved(1, nunif), "strength": 0.5}
        compact = Compact(num_feat=8, num_conv=1, upscale=2).state_dict()
        settings["recipes"]["tiny"]["upscale"] = {"model": saved(2, compact), "target_height": 48}
    with project.manifest() as rows:
        rows[:] = [row for row in rows if row["video"] == "irregular"]
    return project


def test_files_of_the_users_own(own):
    with own.config() as settings:
        # A frame is 17 to 21 from the one before.
        settings["recipes"]["tiny"]["clean"]["same_below"] = 19
    done = own.run()
    assert done["weight"] == 2 and done["clean irregular"] and done["upscale irregular"]
    logs = (own.folder / "logs" / "irregular").glob("clean.*/*.log")
    assert all("frames nearly repeat an earlier one" in log.read_text() for log in logs)
    assert len(frames(own.restored("irregular"))[1]) == len(frames(own.source("irregular"))[1])
    with own.config() as settings:
        settings["recipes"]["tiny"]["upscale"]["target_height"] = 4 * SIZE[1]
    assert set(own.dry()) == set(jobs("upscale", "encode", "comparison", of=["irregular"]))


@pytest.mark.parametrize(
    ("stage", "mistake", "message"),
    [
        ("upscale", {"sha256": "0" * 64}, "sha256"),
        ("upscale", {"scale": 4}, "the network's scale is 2, and 4 is wanted"),
        ("clean", {"file": "nets/x 2.pth"}, "the network's scale is 2, and 1 is wanted"),
    ],
    ids=["wrong hash", "wrong scale", "enlarges"],
)
def test_a_wrong_file_is_refused_before_the_work(own, stage, mistake, message):
    with own.config() as settings:
        settings["recipes"]["tiny"][stage]["model"] |= mistake
        if "file" in mistake:
            other = own.folder / mistake["file"]
            settings["recipes"]["tiny"][stage]["model"]["sha256"] = hashlib.sha256(other.read_bytes()).hexdigest()
    before = own.chunks()
    run = own.snakemake()
    assert run.code == 1 and message in run.output
    assert own.chunks() == before
