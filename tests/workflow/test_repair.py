"""Old film through the whole workflow: held still, evened, dusted, whatever chunks are, all on record."""

import json

import av
import cv2
import numpy as np
import pytest
from skimage.data import astronaut, coffee

from restoration.film.defects import damage
from restoration.media.looks import psnr
from workflow.project import REPORTS, Project
from workflow.test_colour import read, write

SHOT = 14
"""Frames of each of the two shots."""
SIZE = 160, 120
TRUTH = [
    np.repeat(cv2.resize(picture(), SIZE, interpolation=cv2.INTER_AREA)[None], SHOT, axis=0)
    for picture in (astronaut, coffee)
]
"""A tripod before a picture."""
OLD = [damage(shot, "dust", "flicker", "weave", seed=seed) for seed, shot in enumerate(TRUTH)]


@pytest.fixture
def project(tmp_path):
    """Two shots of old film, and a picture that was as soft; chunks of 9 frames, lossless delivery."""
    project = Project.create(tmp_path)
    write(project.source("old"), np.concatenate([one.frames for one in OLD]))
    soft = damage(TRUTH[0][:1], "kinescope").frames[0]
    cv2.imwrite(str(project.source("soft").with_suffix(".png")), soft[..., ::-1].astype(np.uint16) * 257)
    with project.config() as settings:
        settings["chunk_frames"] = 9
        film = {"repair": {"blur": 0}, "encode": {"codec": "ffv1", "container": "mkv"}}
        settings["recipes"] |= {"film": film, "soft": {"repair": {"blur": 1.2, "halo": 0.5}}}
    with project.manifest() as rows:
        rows[:] = [
            {"video": "old", "source": "sources/old.mp4", "recipe": "film", "repair.weave": "fill"},
            {"video": "soft", "source": "sources/soft.png", "recipe": "soft", "repair.weave": ""},
        ]
    return project


def result(project):
    return read(project.results / "old" / "old.mkv")


def record(project):
    return json.loads((project.results / "old" / "old.repairs.json").read_text())


def mask(project):
    with av.open(project.results / "old" / "old.repairs.mkv") as container:
        frames = list(container.decode(video=0))
        return np.stack([frame.to_ndarray(format="rgb24") for frame in frames]), [frame.time for frame in frames]


def test_repair(project):
    run = project.snakemake()
    assert run.code == 0, run.output
    restored, (replaced, times) = result(project), mask(project)
    truth, source = np.concatenate(TRUTH), read(project.source("old"))
    before, after = ([psnr(*pair) for pair in zip(some, truth, strict=True)] for some in (source, restored))
    assert np.mean(after) > np.mean(before) + 6

    # The record: both shots, every frame, and every pixel that comes from elsewhere.
    found = record(project)
    assert [(shot["first"], shot["last"]) for shot in found["shots"]] == [(0, SHOT - 1), (SHOT, 2 * SHOT - 1)]
    assert all(shot["weave"] > 0.8 and shot["flicker"] > 0.04 for shot in found["shots"])
    assert [entry["time"] for entry in found["frames"]] == [round(n / 25, 6) for n in range(2 * SHOT)]
    np.testing.assert_allclose(times, np.arange(2 * SHOT) / 25, atol=6e-4)
    for channel, cause in enumerate(("dust", "scratches", "border")):
        counts = np.count_nonzero(replaced[..., channel] > 127, axis=(1, 2)).tolist()
        assert [entry[cause] for entry in found["frames"]] == counts
        assert any(counts) == (cause != "scratches")
    page = (project.results / "old" / "old.html").read_text()
    assert "2 shots held still" in page and "2 shots evened" in page and "Dust and dirt replaced in" in page
    provenance = json.loads((project.results / "old" / "old.provenance.json").read_text())
    assert provenance["repairs"]["shots"] == found["shots"]
    assert {"old.repairs.json", "old.repairs.mkv"} <= {file["name"] for file in provenance["results"]}
    assert project.snakemake("verify").code == 0

    # A picture alone is made sharper, and nothing else.
    paths = project.source("soft").with_suffix(".png"), project.results / "soft" / "soft.png"
    soft, sharp = (cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1] for path in paths)
    assert [cv2.imread(str(path), cv2.IMREAD_UNCHANGED).dtype for path in paths] == [np.uint16] * 2
    assert psnr(sharp, TRUTH[0][0]) > psnr(soft, TRUTH[0][0]) + 2
    assert not list((project.results / "soft").glob("*.repairs.*"))
    assert not project.dry()

    # Other chunks, the same pictures and the same record.
    with project.config() as settings:
        settings["chunk_frames"] = 100
    project.run()
    np.testing.assert_array_equal(result(project), restored)
    np.testing.assert_array_equal(mask(project)[0], replaced)
    assert record(project) == found

    # Less of one repair needs no new measurements, and concerns nothing else.
    with project.config() as settings:
        settings["recipes"]["film"]["repair"]["flicker"] = 0.5
    assert project.run() == dict.fromkeys(
        (f"{rule} old" for rule in ("repair", "repairs", "encode", "comparison", *REPORTS)), 1
    )
    assert record(project)["shots"] == found["shots"]
    one, half = found["frames"][3]["gain"], record(project)["frames"][3]["gain"]
    assert half == pytest.approx(np.sqrt(one), abs=1e-4) and one != half


def test_mistakes(project):
    with project.config() as settings:
        settings["recipes"]["film"]["repair"] = {"weave": "sideways", "dust": 2, "rust": 1}
        settings["recipes"]["soft"]["copies"] = {"repairs": {}}
    run = project.snakemake("-n")
    assert run.code != 0
    for part in ("recipes.film.repair.weave", "recipes.film.repair.dust", "rust", "recipes.soft.copies"):
        assert part in run.output, part
