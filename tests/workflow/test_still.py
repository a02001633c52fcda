"""Still images beside videos: an image goes in, an image comes out."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from restoration.media.still import read_still
from restoration.review.comparison import LINE_HEIGHT
from workflow.project import Project, jobs

PICTURE = cv2.resize(np.random.default_rng(8).integers(0, 256, (5, 7, 3)).astype(np.uint8), (64, 48))
DEEP = (PICTURE.astype(np.uint16) * 257).clip(0, 65000) + np.random.default_rng(9).integers(0, 257, PICTURE.shape)
ALPHA = np.where(np.hypot(*np.mgrid[-24:24, -32:32]) < 20, 255, 40).astype(np.uint8)
FILES = {"turned": "turned.JPG", "deep": "deep.tif", "clear": "clear.png", "comparison": "regular.mp4"}
"""A picture of a camera held on its side, one of 16 bits, one with transparency, and a video of an awkward name."""
IMAGES = {"turned": "jpg", "deep": "tif", "clear": "png"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A project of these files after its first run, and the jobs of that; only `clear` is upscaled, twice."""
    project = Project.create(tmp_path_factory.mktemp("stills"))
    sources = project.folder / "sources"
    exif = Image.Exif()
    exif[274], exif[315] = 6, "A. Nonymous"
    Image.fromarray(PICTURE).save(sources / "turned.JPG", "JPEG", quality=95, exif=exif)
    cv2.imwrite(str(sources / "deep.tif"), DEEP[..., ::-1].astype(np.uint16))
    Image.fromarray(np.dstack([PICTURE, ALPHA])).save(sources / "clear.png", dpi=(600, 600))
    rows = [
        {
            "video": video,
            "source": f"sources/{file}",
            "recipe": "tiny",
            "upscale": "" if video == "clear" else "off",
            "encode.image": IMAGES.get(video, ""),
        }
        for video, file in FILES.items()
    ]
    pd.DataFrame(rows).to_csv(project.manifest_file, sep="\t", index=False)
    return SimpleNamespace(project=project, jobs=project.run())


def restored(project, video):
    return project.results / video / f"{video}.{IMAGES[video]}"


def test_images_become_images(run):
    project = run.project
    assert {job: run.jobs[job] for job in run.jobs if job.startswith("upscale")} == {"upscale clear": 1}
    due = ImageOps.exif_transpose(Image.open(project.folder / "sources" / "turned.JPG"))
    turned, deep, clear = (Image.open(restored(project, video)) for video in IMAGES)
    assert (turned.format, turned.size, turned.getexif()[274], turned.getexif()[315]) == (
        "JPEG", (48, 64), 1, "A. Nonymous"
    )  # fmt: skip
    assert np.abs(np.asarray(turned).astype(int) - due).mean() < 2
    assert (deep.format, deep.mode) == ("TIFF", "RGB")
    np.testing.assert_array_equal(read_still(restored(project, "deep")).pixels, DEEP)
    assert (clear.format, clear.mode, clear.size) == ("PNG", "RGBA", (128, 96))
    assert clear.info["dpi"] == pytest.approx((600, 600), abs=0.1)
    pixels = np.asarray(clear)
    small = cv2.resize(pixels, (64, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - np.dstack([PICTURE, ALPHA])).mean(axis=(0, 1)).max() < 20


def test_comparisons_and_reports_lie_beside_them(run):
    for video, (width, height) in (("turned", (96, 64)), ("deep", (128, 48)), ("clear", (256, 96))):
        folder = run.project.results / video
        shown = Image.open(folder / "comparison.png").size
        # Under lines of labels: as many as these narrow pictures need.
        assert shown[0] == width and shown[1] > height and (shown[1] - height) % LINE_HEIGHT == 0
        report = json.loads((folder / f"{video}.{IMAGES[video]}.delivery.json").read_text())
        assert report["source"]["name"] == FILES[video]
        assert report["streams"][0]["fate"] == "restored"
    assert report["streams"][1] == {"stream": 0, "type": "alpha", "codec": None, "fate": "copied", "reason": ""}
    comparison = np.asarray(Image.open(run.project.results / "turned" / "comparison.png")).astype(int)[-64:]
    left, right = comparison[:, :48], comparison[:, 48:]
    assert np.abs(left - right).mean() < 2
    assert left.std() > 20


def test_a_video_may_be_called_comparison(run):
    folder = run.project.results / "comparison"
    assert {path.name for path in folder.iterdir()} == {
        *(f"comparison.{kind}" for kind in ("mp4", "mp4.delivery.json", "png", "html")),
        *(f"comparison.{kind}" for kind in ("provenance.json", "premis.xml", "prov.jsonld")),
        *(f"comparison.{kind}" for kind in ("measures.tsv", "measures.json", "findings.json")),
    }  # fmt: skip


def test_nothing_is_left_to_do(run):
    assert not run.project.dry()


def test_another_quality_concerns_the_jpeg(run, tmp_path):
    project = run.project.copy(tmp_path / "copy")
    with project.stage("encode") as encode:
        encode["quality"] = 50
    before = restored(project, "turned").stat().st_size
    assert project.run() == jobs("encode", "comparison", of=["turned"])
    assert restored(project, "turned").stat().st_size < before
    assert not project.dry()


def test_a_bad_image_fails_alone(run, tmp_path):
    project = run.project.copy(tmp_path / "copy")
    source = project.folder / "sources" / "turned.JPG"
    source.write_bytes(source.read_bytes()[:700])
    ended = project.snakemake()
    assert ended.code != 0
    assert "sources/turned.JPG: the picture is truncated or damaged" in ended.output
    assert "Traceback" not in ended.output
    assert restored(project, "deep").exists()
    table = pd.read_csv(project.results / "summary.tsv", sep="\t", index_col="video", keep_default_na=False)
    assert table["status"].to_dict() == {"turned": "failed", "deep": "done", "clear": "done", "comparison": "done"}
    assert "truncated or damaged" in table.loc["turned", "why"]
    assert "truncated or damaged" in (project.folder / table.loc["turned", "log"]).read_text()
    assert "Videos: 3 done, 1 failed; see" in ended.output
