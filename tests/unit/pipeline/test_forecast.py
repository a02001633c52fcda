"""Forecasts: two samples tell what a job takes to begin and what a frame takes, and the rest is proportion."""

import csv
import json
from dataclasses import replace

import pytest

from restoration.pipeline.cost import Cost
from restoration.pipeline.forecast import (
    Amount,
    Calibration,
    Forecast,
    Rate,
    calibration,
    forecast,
    sample_spans,
    write_forecast,
)
from restoration.pipeline.plan import Span

KEY = "0123456789"
KNOWN = Calibration(
    100,
    False,
    {
        "frames": Rate(Amount(0, 1), Amount(0, 0.1, 10)),
        "colorize": Rate(Amount(2, 3), Amount(1, 2, 10)),
        "upscale": Rate(Amount(2, 3), Amount(4, 6, 160)),
        "encode": Rate(Amount(0, 5), Amount(0, 0.5)),
        "result": Rate(Amount(), Amount(bytes=1)),
    },
)


def probe(tmp_path, name, frames, size=(10, 10)):
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps({"frames": frames, "size": size, "shots": [[0, frames - 1]]}))
    return path


def only(tmp_path, *, longest=100, keep="all", gpu=False, **video):
    known = replace(KNOWN, gpu=gpu)
    (found,) = forecast({"a": probe(tmp_path, "a", **video)}, {"a": known}, longest=longest, keep=keep)
    return found


@pytest.mark.parametrize(
    ("frames", "spans"),
    [(1000, ((494, 497), (494, 505))), (12, ((0, 3), (0, 11))), (4, ((0, 1), (0, 3))), (1, ((0, 0), (0, 0)))],
)
def test_samples_come_from_the_middle(frames, spans):
    assert sample_spans(frames, fast=False) == tuple(Span(*span) for span in spans)
    short, long = sample_spans(1000, fast=True)
    assert len(short) == 24 and len(long) == 96


def write_sample(folder, video, frames, **costs):
    for step, cost in costs.items():
        log = folder / "logs" / video / f"{step}.{KEY}" / "0000000-0000003.log"
        log.parent.mkdir(parents=True)
        log.write_text(f"{video}: {cost}\n")
    chunk = folder / "work" / video / f"upscale.{KEY}" / "0000000-0000003.mkv"
    chunk.parent.mkdir(parents=True)
    chunk.write_bytes(bytes(20 + 100 * frames))
    (folder / "results" / video).mkdir(parents=True)
    (folder / "results" / video / "a.mp4").write_bytes(bytes(30 + 7 * frames))
    encoded = folder / "logs" / video / "encode.mp4.log"
    encoded.write_text(f"{video}: {Cost(5, 5)}\n")


def test_calibration_tells_the_beginning_from_the_frames(tmp_path):
    write_sample(tmp_path, "sample-1", 4, upscale=Cost(2 + 4 * 3, 4 + 4 * 5), probe=Cost(100, 100))
    write_sample(tmp_path, "sample-2", 12, upscale=Cost(2 + 12 * 3, 4 + 12 * 5), probe=Cost(100, 100))
    found = calibration(tmp_path, {"sample-1": 4, "sample-2": 12}, 64, gpu=True)
    assert found.pixels == 64 and found.gpu
    assert found.rates == {
        "upscale": Rate(Amount(2, 4, 20), Amount(3, 5, 100)),
        "encode": Rate(Amount(5, 5), Amount()),
        "result": Rate(Amount(bytes=30), Amount(bytes=7)),
    }
    found.write(tmp_path / "known.json")
    assert Calibration.read(tmp_path / "known.json") == found


def test_calibration_survives_a_short_sample_that_took_longer(tmp_path):
    write_sample(tmp_path, "sample-1", 4, upscale=Cost(30, 30))
    write_sample(tmp_path, "sample-2", 12, upscale=Cost(20, 20))
    rate = calibration(tmp_path, {"sample-1": 4, "sample-2": 12}, 1, gpu=False).rates["upscale"]
    assert rate == Rate(Amount(20, 20, 20), Amount(0, 0, 100))


def test_every_chunk_begins_and_every_frame_takes_its_time(tmp_path):
    found = only(tmp_path, frames=300)
    chunk_jobs = 3 * (1 + 3 + 3) + 300 * (0.1 + 2 + 6)
    assert found.cpu_hours == pytest.approx((chunk_jobs + 5 + 300 * 0.5) / 3600)
    assert found.gpu_hours == 0
    with_gpu = only(tmp_path, frames=300, gpu=True)
    assert with_gpu.gpu_hours == pytest.approx((3 * (2 + 2) + 300 * (1 + 4)) / 3600)


def test_larger_frames_take_longer_but_not_to_colorize(tmp_path):
    small, large = (only(tmp_path, frames=300, size=size) for size in ((10, 10), (20, 20)))
    assert large.cpu_hours - small.cpu_hours == pytest.approx(3 * 300 * (0.1 + 6 + 0.5) / 3600)
    assert large.peak_gb == pytest.approx(4 * small.peak_gb)


@pytest.mark.parametrize(("keep", "kept"), [("all", 181), ("small", 21), ("none", 1)])
def test_what_is_kept(tmp_path, keep, kept):
    found = only(tmp_path, frames=1000, keep=keep)
    assert found.kept_gb == pytest.approx(kept * 1000 / 1e9)
    assert found.peak_gb == pytest.approx(181 * 1000 / 1e9)


def test_the_table_and_the_words(tmp_path):
    rows = [Forecast("a", 100, 2, 3, 1, 5), Forecast("b", 50, 1, 1, 2, 4)]
    said = write_forecast(rows, tmp_path / "forecast.tsv", unreadable=["c"])
    with (tmp_path / "forecast.tsv").open() as handle:
        table = list(csv.DictReader(handle, dialect="excel-tab"))
    assert [row["video"] for row in table] == ["a", "b"]
    assert table[0] == {
        "video": "a",
        "frames": "100",
        "gpu_hours": "2",
        "cpu_hours": "3",
        "kept_gb": "1",
        "peak_gb": "5",
    }
    assert "2 videos, 150 frames" in said
    assert "3.00 hours of a GPU, 4.00 hours of a processor core" in said
    assert "3.00 GB in the end; meanwhile 7.00 GB, one video after the other, to 9.00 GB" in said
    assert "without what cannot be read: c" in said
    assert "for 0 videos" in write_forecast([], tmp_path / "forecast.tsv", unreadable=["c"])


def test_a_video_of_one_frame_is_scaled(tmp_path):
    write_sample(tmp_path, "sample-1", 1, upscale=Cost(3, 3))
    write_sample(tmp_path, "sample-2", 1, upscale=Cost(5, 5))
    rate = calibration(tmp_path, {"sample-1": 1, "sample-2": 1}, 1, gpu=False).rates["upscale"]
    assert rate.begin.seconds == 0 and rate.frame.seconds == 5
    # Of a still image both sizes are known.
    rate = calibration(tmp_path, {"sample-1": 0.25, "sample-2": 1}, 1, gpu=False).rates["upscale"]
    assert rate.begin.seconds == pytest.approx(5 - 2 / 0.75) and rate.frame.seconds == pytest.approx(2 / 0.75)
