"""Faces through the whole workflow: restored where they are, nothing else touched, and all of it on record."""

import json
import shutil

import av
import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from media_factory import pictures
from workflow.project import REPORTS, REPOSITORY, Project
from workflow.test_colour import read, write

SHOWN, ALONE = 8, 5
"""Frames of the shot with a face, and of the one without."""


def portrait():
    """A pan over a noisy face of about 55 pixels."""
    rng = np.random.default_rng(1)
    picture = cv2.resize(astronaut(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for number in range(SHOWN):
        matrix = np.array([[1, 0, -40 - 1.3 * number], [0, 1, -0.4 * number]])
        moved = cv2.warpAffine(picture, matrix, (160, 128), flags=cv2.INTER_CUBIC)
        yield np.clip(moved + rng.normal(0, 4, moved.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def project(tmp_path):
    """A face in one of two shots, and a clip without any; chunks of 3 frames, lossless delivery."""
    project = Project.create(tmp_path)
    shutil.copytree(REPOSITORY / "config" / "weights", project.folder / "config" / "weights")
    nobody = pictures(ALONE, 160, 128)
    write(project.source("somebody"), np.concatenate([np.stack(list(portrait())), nobody]))
    write(project.source("nobody"), nobody)
    with project.config() as settings:
        settings["chunk_frames"] = 3
        upscale = {"outscale": 2, "tile": 0}
        settings["recipes"]["faces"] = {
            "upscale": upscale, "faces": {}, "encode": {"codec": "ffv1", "container": "mkv"},
        }  # fmt: skip
    with project.manifest() as rows:
        rows[:] = [
            {"video": name, "source": f"sources/{name}.mp4", "recipe": "faces", "faces": "", "faces.strength": "1"}
            for name in ("somebody", "nobody")
        ]
    return project


def result(project, name):
    return read(project.results / name / f"{name}.mkv")


def record(project, name):
    return json.loads((project.results / name / f"{name}.faces.json").read_text())


def mask(project, name):
    with av.open(project.results / name / f"{name}.faces.mkv") as container:
        frames = list(container.decode(video=0))
    assert {frame.format.name for frame in frames} == {"gray"}
    return np.stack([frame.to_ndarray() for frame in frames]), [frame.time for frame in frames]


def test_faces(project):
    run = project.snakemake()
    assert run.code == 0, run.output
    restored, (invented, times) = result(project, "somebody"), mask(project, "somebody")

    # The record: one face, in each frame of its shot.
    found = record(project, "somebody")
    (face,) = found["faces"]
    assert (face["first"], face["last"], face["decision"]) == (0, SHOWN - 1, "restored")
    assert face["similarity"] > 0.9
    assert face["landmark_jitter"]["calmed"] < face["landmark_jitter"]["found"] / 3
    assert {part: network["model"] for part, network in found["networks"].items()} == {
        "detector": "mtcnn", "model": "realesr-animevideov3-fp16",
    }  # fmt: skip
    assert found["method"] == "sharpened by a network for any picture, which knows nothing of faces"
    assert "NOTICE: faces.model: realesr-animevideov3-fp16 is a network for any picture" in run.output
    page = (project.results / "somebody" / "somebody.html").read_text()
    assert "1 face was sharpened by realesr-animevideov3-fp16" in page and page.count('alt="Face 0, ') == 2
    assert [entry["frame"] for entry in found["frames"]] == list(range(SHOWN))
    assert [entry["time"] for entry in found["frames"]] == [round(number / 25, 6) for number in range(SHOWN)]
    np.testing.assert_allclose(times, np.arange(SHOWN + ALONE) / 25, atol=6e-4)
    assert all(picture.any() for picture in invented[:SHOWN])
    assert not invented[SHOWN:].any() and not mask(project, "nobody")[0].any()
    assert record(project, "nobody")["faces"] == record(project, "nobody")["frames"] == []
    assert not project.dry()

    # Other chunks, the same pictures and the same record.
    with project.config() as settings:
        settings["chunk_frames"] = 100
    project.run()
    np.testing.assert_array_equal(result(project, "somebody"), restored)
    np.testing.assert_array_equal(mask(project, "somebody")[0], invented)
    assert record(project, "somebody") == found

    # Another strength concerns the faces of this video and what comes after, no more.
    with project.manifest() as rows:
        rows[0]["faces.strength"] = "0.5"
    later = ("faces", "encode", "comparison", "record", *REPORTS)
    assert project.run() == dict.fromkeys((f"{rule} somebody" for rule in later), 1)
    assert np.abs(mask(project, "somebody")[0].astype(int) - invented / 2).max() <= 1

    # Without the stage the rest is the same, bit for bit.
    with project.manifest() as rows:
        for row in rows:
            row["faces"], row["faces.strength"] = "off", ""
    nobody = result(project, "nobody")
    assert not {job.split()[0] for job in project.dry()} & {"upscale", "frames", "probe"}
    project.run()
    plain = result(project, "somebody")
    np.testing.assert_array_equal(result(project, "nobody"), nobody)
    np.testing.assert_array_equal(plain[invented == 0], restored[invented == 0])
    assert np.abs(plain.astype(int) - restored)[invented > 200].mean() > 0.5


def test_fused(project):
    """The job that restores faces upscales, too; what comes out is the same."""
    with project.config() as settings:
        settings |= {"fuse": True, "batch": 2, "chunk_frames": 100}
        # Frames of the shot without a face are up to 13 apart, those of the other one 35 and more.
        settings["recipes"]["faces"]["upscale"]["same_below"] = 16
    picture = next(portrait()).astype(np.uint16) * 257
    picture += np.random.default_rng(2).integers(0, 200, picture.shape, np.uint16)
    alpha = np.full((*picture.shape[:2], 1), 65535, np.uint16)
    cv2.imwrite(str(project.source("still").with_suffix(".png")), np.dstack([picture[..., ::-1], alpha]))
    with project.manifest() as rows:
        rows[1] |= {"video": "still", "source": "sources/still.png"}
    names = ("somebody", "still")
    assert not {f"upscale {name}" for name in names} & project.run().keys()
    assert not project.chunks("*/upscale.*/*")
    fused = {path.relative_to(project.folder): path.read_text() for path in found(project)}
    assert len(fused) == 2 * (3 + 1)

    (log,) = (project.folder / "logs" / "somebody").glob("faces.*/*.log")
    assert f"{ALONE - 1} frames nearly repeat an earlier one" in log.read_text()

    # Switched, nothing is to be done; what is computed anew, at that setting, comes out the same.
    with project.config() as settings:
        settings["fuse"] = False
    assert not project.dry()
    shutil.rmtree(project.results)
    for folder in project.work.glob("*/faces.*"):
        shutil.rmtree(folder)
    assert {f"upscale {name}" for name in names} <= project.run().keys()
    assert {path.relative_to(project.folder): path.read_text() for path in found(project)} == fused
    upscaled = {str(path.parent.relative_to(project.folder)) for path in project.chunks("*/upscale.*/*")}
    assert len(upscaled) == 2 and not any(folder in project.snakemake("prune").output for folder in upscaled)
    with project.config() as settings:
        settings["fuse"] = True
    assert not project.dry()
    assert all(folder in project.snakemake("prune").output for folder in upscaled)

    # The settings of upscaling concern the job that does it.
    with project.config() as settings:
        settings["recipes"]["faces"]["upscale"]["strength"] = 0.5
    assert project.dry() == dict.fromkeys(
        [f"{rule} {name}" for rule in ("faces", "encode", "comparison", "record", *REPORTS) for name in names],
        1,
    )


def found(project):
    """All that is written in text about the frames of a result, hashes of frames among it."""
    return [
        *project.work.glob("*/faces.*/*.hashes"),
        *project.work.glob("*/faces.*/*.json"),
        *project.results.glob("*/*.faces.json"),
    ]


def test_a_face_unlike_the_source_is_left_alone(project):
    with project.config() as settings:
        settings["recipes"]["faces"]["faces"] = {"refuse_below": 1}
    with project.manifest() as rows:
        rows[:] = rows[:1]
    project.run()
    found = record(project, "somebody")
    assert found["faces"][0]["decision"] == "left alone: too unlike the source"
    assert {(entry["strength"], entry["similarity"]) for entry in found["frames"]} == {(0, None)}
    assert not mask(project, "somebody")[0].any()


def test_mistakes(project):
    (project.folder / "faces.tsv").write_text("frame\tx\n1\t2\n")
    with project.config() as settings:
        settings["recipes"]["faces"]["faces"] = {
            "model": "CodeFormer", "detector": "realesr-animevideov3", "only": "faces.tsv", "ignore": "1:2",
        }  # fmt: skip
        settings["recipes"]["faces"]["copies"] = {"faces": {}}
    run = project.snakemake("-n")
    assert run.code != 0
    for part in ("recipes.faces.faces.ignore", "recipes.faces.copies"):
        assert part in run.output, part
    with project.config() as settings:
        del settings["recipes"]["faces"]["copies"], settings["recipes"]["faces"]["faces"]["ignore"]
    run = project.snakemake("-n")
    assert run.code != 0
    for part in (
        "faces.model: CodeFormer is not for commercial use (LicenseRef-S-Lab-1.0); if yours is none, say so",
        "faces.detector: unknown model for detect 'realesr-animevideov3'; allowed: mtcnn, retinaface-resnet50, yunet",
        "faces.tsv: columns are frame, x; expected frame, x, y",
    ):
        assert part in run.output, part
