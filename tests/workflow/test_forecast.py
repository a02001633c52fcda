"""`snakemake forecast`: what all videos will cost, from samples that pass the workflow itself."""

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
    with project.config() as settings:
        settings["recipes"]["other"] = {"encode": {"preset": "ultrafast"}}
    with project.manifest() as rows:
        rows[1]["recipe"] = "other"
        rows.append(rows[0] | {"video": "garbage", "source": "sources/garbage.mp4"})
    before = {path: path.stat().st_mtime_ns for path in project.results.rglob("*")}
    run = project.snakemake("forecast")
    assert run.code == 0, run.output
    assert run.jobs["calibrate"] == 2 and run.jobs["forecast"] == 1
    assert {path: path.stat().st_mtime_ns for path in project.results.rglob("*")} == before
    assert "Forecast for 2 videos, 60 frames" in run.output
    assert "without 1 videos that cannot be read: garbage" in run.output
    found = table(project)
    assert found["frames"].to_dict() == {"regular": 36, "irregular": 24}
    assert (found["cpu_hours"] > 0).all() and (found["gpu_hours"] == 0).all()
    assert found["kept_gb"]["regular"] * 1e9 == pytest.approx(bytes_of(project, "regular"), rel=0.5)

    # What is known is not measured again.
    with project.config() as settings:
        settings["keep"] = "none"
    assert set(project.run("forecast")) == {"forecast"}
    other = table(project)
    assert other["peak_gb"].to_dict() == pytest.approx(found["peak_gb"].to_dict(), rel=0.01)
    assert (other["kept_gb"] < found["kept_gb"]).all()
