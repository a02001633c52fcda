"""Masks: beside chunks as chunks, and of a whole video as a video at the timeline's times; whole or not at all."""

from fractions import Fraction

import av
import numpy as np
import pytest

from media_factory import video_times
from restoration.errors import RestorationError
from restoration.media.chunks import read_chunk
from restoration.media.masks import write_mask, write_with_masks
from restoration.media.timeline import Timeline

COUNT = 10
START = 48000
PTS = [START + number * 3003 + number % 3 * 700 for number in range(COUNT)]
"""Of a video that begins late and whose frames last differently."""
BASE = Fraction(1, 90000)


@pytest.fixture
def timeline():
    return Timeline.build(BASE, PTS, 3003, [4], [str(number) for number in range(COUNT)])


def masks(width, height, count=COUNT, causes=()):
    """Different in each frame, and untouched in some."""
    rng = np.random.default_rng(3)
    return [
        rng.integers(0, 256, (height, width, *causes), dtype=np.uint8) * np.uint8(number % 4 > 0)
        for number in range(count)
    ]


def read(path, kind):
    with av.open(path) as container:
        (stream,) = container.streams
        frames = list(container.decode(stream))
        assert stream.codec_context.name == "ffv1"
        assert all(frame.key_frame for frame in frames)
        return np.stack([frame.to_ndarray(format=kind) for frame in frames])


@pytest.mark.parametrize("trimmed", [False, True])
@pytest.mark.parametrize(("width", "height"), [(96, 80), (33, 17)])
@pytest.mark.parametrize(("causes", "kind"), [((), "gray"), ((3,), "rgb24")])
def test_the_mask_is_a_video_with_the_timelines_times(tmp_path, timeline, width, height, trimmed, causes, kind):
    target, due = tmp_path / "out" / "x.faces.mkv", masks(width, height, causes=causes)
    write_mask(target, due, timeline, trimmed=trimmed)
    np.testing.assert_array_equal(read(target, kind), np.stack(due))
    times = [(pts - START * trimmed) * BASE for pts in PTS]
    # Matroska counts milliseconds.
    assert max(abs(time - exact) for time, exact in zip(video_times(target), times, strict=True)) <= Fraction(1, 2000)
    assert [path.name for path in target.parent.iterdir()] == ["x.faces.mkv"]


@pytest.mark.parametrize("count", [9, 11])
def test_all_masks_or_no_file(tmp_path, timeline, count):
    target = tmp_path / "out" / "x.faces.mkv"
    with pytest.raises(RestorationError, match=f"10 frames were due and {count} came"):
        write_mask(target, masks(64, 48, count), timeline, trimmed=False)
    assert list(target.parent.iterdir()) == []


def test_a_single_frame(tmp_path):
    timeline = Timeline.build(BASE, [START], 3003, [], ["a"])
    write_mask(tmp_path / "x.mkv", masks(64, 48, 1), timeline, trimmed=True)
    assert video_times(tmp_path / "x.mkv") == [0] and read(tmp_path / "x.mkv", "gray").shape == (1, 48, 64)


@pytest.mark.parametrize("causes", [(), (3,)])
def test_chunks_of_pictures_and_masks(tmp_path, causes):
    pictures, due = masks(40, 30, 5, (3,))[::-1], masks(40, 30, 5, causes)
    target, beside = tmp_path / "a.mkv", tmp_path / "a.mask.mkv"
    write_with_masks(target, beside, zip(pictures, due, strict=True), expected=5)
    np.testing.assert_array_equal(list(read_chunk(target)), pictures)
    np.testing.assert_array_equal(list(read_chunk(beside)), [m if causes else np.dstack([m] * 3) for m in due])


def test_no_masks_without_their_pictures(tmp_path):
    pictures, due = masks(40, 30, 4, (3,)), masks(40, 30, 4)
    with pytest.raises(RestorationError, match="5 frames were due, 4 came"):
        write_with_masks(tmp_path / "a.mkv", tmp_path / "a.mask.mkv", zip(pictures, due, strict=True), expected=5)
    assert not list(tmp_path.iterdir())
