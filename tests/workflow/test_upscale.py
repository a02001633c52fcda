"""Upscaling through the whole workflow: detail that is calmed over frames, and a height reached in passes."""

import av
import numpy as np
import pytest

from workflow.media import make_clip
from workflow.project import Project

COUNT = 10
RECIPES = {
    "calm": {"outscale": 2, "stability": 0.9},
    "video2x": {"model": "waifu2x-upconv7-art-2x-noise3-fp16", "target_height": 120},
}


@pytest.fixture
def project(tmp_path):
    """A clip of one shot for each recipe, in one chunk, lossless delivery; nothing computed yet."""
    project = Project.create(tmp_path)
    with project.config() as settings:
        encode = {"codec": "ffv1", "container": "mkv"}
        settings["recipes"] = {name: {"upscale": upscale, "encode": encode} for name, upscale in RECIPES.items()}
    with project.manifest() as rows:
        rows[:] = [{"video": name, "source": f"sources/{name}.mp4", "recipe": name} for name in RECIPES]
    for name in RECIPES:
        make_clip(project.source(name), shots=[COUNT], pts=[3600 * number for number in range(COUNT)], seed=3)
    return project


def pictures(path):
    """All frames of a file."""
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def test_a_height_is_reached_and_detail_is_calm_whatever_the_chunks(project):
    jobs = project.run()
    # Of 48x32. waifu2x goes there in two passes, the second of which is by a network that leaves noise alone.
    restored = {name: project.results / name / f"{name}.mkv" for name in RECIPES}
    assert pictures(restored["video2x"]).shape == (COUNT, 120, 180, 3)
    assert jobs["weight"] == 3

    calm = pictures(restored["calm"])
    (before,) = project.chunks("calm/upscale.*/*.mkv")
    assert calm.shape == pictures(before).shape == (COUNT, 64, 96, 3)
    assert (pictures(before) != calm).mean() > 0.1
    with project.config() as settings:
        settings["chunk_frames"] = COUNT // 2
    with project.manifest() as rows:
        rows[:] = [row for row in rows if row["video"] == "calm"]
    assert project.run()["settle calm"] == 2
    np.testing.assert_array_equal(pictures(restored["calm"]), calm)
