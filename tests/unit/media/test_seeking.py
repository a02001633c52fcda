"""Single frames by time: the same as a whole decode gives, whatever the file is like, and without decoding it all."""

from fractions import Fraction

import numpy as np
import pytest

from media_factory import LONG_GOP, OPEN_GOP, interlaced, panned, pictures, telecined, wishes, write_clip
from restoration.errors import RestorationError
from restoration.media import seeking
from restoration.media.extract import extract
from restoration.media.probe import probe

COUNT = 300
"""Twelve seconds."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return {
        name: write_clip(folder / name, pictures(COUNT), **clip)
        for name, clip in {
            "long.mp4": {"options": LONG_GOP},
            "open.ts": {"options": OPEN_GOP},
            "open.mkv": {"options": OPEN_GOP},
            "raw.h264": {"options": OPEN_GOP},
        }.items()
    }


def sampled(path, **chosen):
    description, timeline = probe(path, wishes(**chosen))
    frames = list(extract(path, description, timeline, 0, len(timeline.pts) - 1))
    return description, timeline, frames


@pytest.mark.parametrize("name", ["long.mp4", "open.ts", "open.mkv", "raw.h264"])
@pytest.mark.parametrize("sample", ["every 5.5", "every 0.7", "at 11.3 0 0:00:06.001"])
def test_frames_are_those_of_the_whole_decode(clips, name, sample):
    whole, all_frames = probe(clips[name], wishes())
    description, timeline, frames = sampled(clips[name], sample=sample)
    start = int(all_frames.pts[0])
    times = {"every 5.5": [0, 5.5, 11], "every 0.7": np.arange(0, 12, 0.7), "at 11.3 0 0:00:06.001": [0, 6.001, 11.3]}
    begins = (all_frames.pts - start) * float(all_frames.time_base)
    due = [int(np.flatnonzero(begins <= time + 1e-3)[-1]) for time in times[sample]]
    assert timeline.pts.tolist() == all_frames.pts[due].tolist()
    assert timeline.table["hash"].tolist() == all_frames.table["hash"].iloc[due].tolist()
    assert timeline.shots() == [(number, number) for number in range(len(due))]
    assert len(frames) == len(due) == description["frames"]
    assert not whole["sampled"]


def test_hours_between_are_not_decoded(clips, monkeypatch):
    decoded = 0

    def counted(*arguments, begin=seeking.normalised):
        nonlocal decoded
        for frame in begin(*arguments):
            decoded += 1
            yield frame

    monkeypatch.setattr(seeking, "normalised", counted)
    reading = probe(clips["open.mkv"], wishes())[0]["reading"]
    times = [Fraction(0), Fraction(11)]
    frames = list(seeking.frames_at(clips["open.mkv"], seeking.Reading(**reading), times))
    assert [float(seeking.begin(frame)) for frame in frames] == [0, 11]
    assert decoded < 80  # of 276 up to there


def test_a_file_that_lies_about_its_keyframes_is_decoded_from_the_beginning(clips, monkeypatch):
    monkeypatch.setattr(seeking, "MARGINS", (Fraction(-1), None))
    reading = probe(clips["open.mkv"], wishes())[0]["reading"]
    (frame,) = seeking.frames_at(clips["open.mkv"], seeking.Reading(**reading), [Fraction(6)])
    assert seeking.begin(frame) == 6


@pytest.mark.parametrize(
    ("frames", "rate", "chosen"),
    [
        (telecined(panned(96)), Fraction(30000, 1001), {"field_order": "telecine"}),
        (interlaced(panned(600)), 25, {"field_order": "top"}),
        (interlaced(panned(600)), 25, {"field_order": "top", "deinterlace": "double"}),
        (panned(120), 25, {"fps": "24000/1001"}),
    ],
    ids=["telecine", "interlaced", "double", "fps"],
)
def test_frames_that_depend_on_their_neighbours(tmp_path, frames, rate, chosen):
    path = write_clip(tmp_path / "a.mkv", frames, codec="mpeg2video", options={"g": "6", "b": "8M"}, rate=rate)
    _, whole = probe(path, wishes(**chosen))
    _, timeline, found = sampled(path, sample="at 0.5 1 1.5 3.9" if len(whole.pts) < 200 else "at 0.5 9.98", **chosen)
    at = dict(zip(whole.pts * whole.time_base, whole.table["hash"], strict=True))
    assert [at[time] for time in timeline.pts * timeline.time_base] == timeline.table["hash"].tolist()
    assert len(found) == len(timeline.pts)


def test_a_tape_captured_in_parts_is_seen_to_its_end(tmp_path):
    for name in ("one", "two"):
        write_clip(tmp_path / f"{name}.ts", pictures(COUNT), options=OPEN_GOP)
    path = tmp_path / "both.ts"
    path.write_bytes((tmp_path / "one.ts").read_bytes() + (tmp_path / "two.ts").read_bytes())
    _, whole = probe(path, wishes())
    assert len(whole.pts) == 2 * COUNT
    _, timeline, frames = sampled(path, sample="every 6")
    seconds = ((timeline.pts - timeline.pts[0]) * timeline.time_base).astype(float)
    assert seconds.tolist() == [0, 6, 12, 18]
    assert len(frames) == 4


def test_every_second_within_an_excerpt(clips):
    _, timeline, _ = sampled(clips["long.mp4"], sample="every 1", start=2.0, end=5.0)
    assert ((timeline.pts * timeline.time_base).astype(float) == [2, 3, 4]).all()


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"sample": "at 3 12"}, "no frame is shown at 12 s"),
        ({"sample": "at 3 9", "end": 8.0}, "no frame is shown at 9 s"),
        ({"sample": "every 2", "start": 13.0}, "no frame"),
    ],
)
def test_times_without_a_frame(clips, chosen, says):
    with pytest.raises(RestorationError, match=says):
        probe(clips["long.mp4"], wishes(**chosen))


@pytest.mark.parametrize(
    ("sample", "due"), [("shots", [12, 37, 62, 87]), ("shots 2", [12, 87]), ("shots 9", [12, 37, 62, 87])]
)
def test_the_middles_of_shots(tmp_path, sample, due):
    path = write_clip(tmp_path / "shots.mkv", pictures(100, shots=4))
    _, timeline, frames = sampled(path, sample=sample)
    _, whole = probe(path, wishes())
    assert [first for first, _ in whole.shots()] == [0, 25, 50, 75]
    assert timeline.table["hash"].tolist() == whole.table["hash"].iloc[due].tolist()
    assert len(frames) == len(due)


def test_frames_that_changed_are_refused(clips, tmp_path):
    description, timeline = probe(clips["long.mp4"], wishes(sample="at 1 7"))
    other = write_clip(tmp_path / "other.mp4", pictures(COUNT)[::-1], options=LONG_GOP)
    with pytest.raises(RestorationError, match=r"frame 0 .* is not what it was"):
        list(extract(other, description, timeline, 0, 1))
