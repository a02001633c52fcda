"""`snakemake forecast`: what all videos will cost, from samples that pass the workflow itself."""

import cv2
import numpy as np
import pandas as pd
import pytest


def table(project):
    return pd.read_csv(project.folder / "logs" / "forecast.tsv", sep="\t", index_col="video")


def bytes_of(project, video):
    """Of all chunks, and of what is delivered."""
    return sum(
        file.stat().st_size for file in [*project.chunks(f"{video}/*/*.mkv"), *(project.results / video).iterdir()]
    )


def test_forecast(project):
    project.source("garbage").write_bytes(b"no video" * 1000)
    picture = np.random.default_rng(1).integers(0, 65536, (32, 48, 3), np.uint16)
    cv2.imwrite(str(project.folder / "sources" / "photo.png"), picture)
    with project.config() as settings:
        settings["recipes"]["other"] = {"encode": {"preset": "ultrafast"}}
    with project.manifest() as rows:
        rows[1]["recipe"] = "other"
        plain = rows[0] | {"encode.preset": ""}
        rows.append(plain | {"video": "garbage", "source": "sources/garbage.mp4"})
        rows.append(plain | {"video": "photo", "source": "sources/photo.png"})
    before = {path: path.stat().st_mtime_ns for path in project.results.rglob("*")}
    run = project.snakemake("forecast")
    assert run.code == 0, run.output
    assert run.jobs["calibrate"] == 3 and run.jobs["forecast"] == 1
    assert {path: path.stat().st_mtime_ns for path in project.results.rglob("*")} == before
    assert "Forecast for 3 videos, 61 frames" in run.output
    assert "without what cannot be read: garbage" in run.output
    found = table(project)
    assert found["frames"].to_dict() == {"regular": 36, "irregular": 24, "photo": 1}
    assert (found["cpu_hours"] > 0).all() and (found["gpu_hours"] == 0).all()
    assert found["kept_gb"]["regular"] * 1e9 == pytest.approx(bytes_of(project, "regular"), rel=0.5)
    delivered = {path.name for path in project.work.glob(".forecast/*/results/*/sample-2.*")}
    assert {name for name in delivered if name.count(".") == 1} == {"sample-2.mp4", "sample-2.png", "sample-2.html"}

    # What is known is not measured again.
    with project.config() as settings:
        settings["keep"] = "none"
    assert set(project.run("forecast")) == {"forecast"}
    other = table(project)
    assert other["peak_gb"].to_dict() == pytest.approx(found["peak_gb"].to_dict(), rel=0.01)
    assert (other["kept_gb"] < found["kept_gb"]).all()
