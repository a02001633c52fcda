"""Hints on a video in chunks: found once, the same whatever the chunks are."""

import cv2
import numpy as np
import pytest
from PIL import Image

from media_factory import pictures
from restoration.errors import RestorationError
from restoration.frames import frame_hash
from restoration.media.chunks import write_chunk
from restoration.media.timeline import Timeline
from restoration.pipeline.plan import Span
from restoration.stages.colour_points import Point
from restoration.stages.reel import Reel
from restoration.stages.steer import Guidance, guide

COUNT = 12
FRAMES = pictures(COUNT, 96, 80, shots=2, gray=True)
SHOTS = [(0, 5), (6, 11)]
ALL = [True] * COUNT


@pytest.fixture
def timeline():
    return Timeline.build(1, list(range(COUNT)), 1, [6], [frame_hash(frame) for frame in FRAMES])


def cut(folder, length):
    """The video in chunks of this length."""
    folder.mkdir()
    for first in range(0, COUNT, length):
        span = Span(first, min(first + length, COUNT) - 1)
        write_chunk(folder / f"{span}.mkv", FRAMES[first : span.last + 1], expected=len(span))
    return sorted(folder.glob("*.mkv"))


@pytest.fixture
def reference(tmp_path):
    Image.fromarray(pictures(1, 90, 60)[0]).save(tmp_path / "reference.png")
    return {"frame": None, "strength": 1, "images": [tmp_path / "reference.png"]}


def test_chunks_do_not_matter(tmp_path, timeline, reference):
    points = [Point(2, 40, 40, "#208020"), Point(8, 20, 20, "#a02020", radius=10)]
    found = [
        guide(cut(tmp_path / str(length), length), timeline, [reference], points, ALL, None) for length in (1, 5, 12)
    ]
    assert found[0] == found[1] == found[2]
    assert set(found[0].shots) == {0, 1} and len(found[0].tracks) == 2
    assert [one.first for one in found[0].tracks] == [0, 6]
    assert Guidance.from_json(found[0].to_json()) == found[0]


def test_luma_stays_and_chroma_does_not(tmp_path, timeline, reference):
    guidance = guide(cut(tmp_path / "chunks", 12), timeline, [reference | {"frame": 7}], [], ALL, None)
    steered = guidance.steered(FRAMES[7], 7, 1)
    lumas = [cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)[..., 0].astype(int) for frame in (FRAMES[7], steered)]
    assert np.abs(lumas[1] - lumas[0]).max() <= 1
    assert np.ptp(steered, axis=-1).mean() > 10
    # Nothing is known about the other shot.
    frame = FRAMES[0]
    assert guidance.steered(frame, 0, 0) is frame


def test_a_reference_for_one_shot_goes_before_that_for_all(tmp_path, timeline, reference):
    Image.fromarray(np.full((20, 20, 3), (200, 40, 40), np.uint8)).save(tmp_path / "red.png")
    own = {"frame": 11, "strength": 1, "images": [tmp_path / "red.png"]}
    chunks = cut(tmp_path / "chunks", 12)
    both = guide(chunks, timeline, [reference, own], [], ALL, None)
    assert both.shots[0] == guide(chunks, timeline, [reference], [], ALL, None).shots[0]
    assert both.shots[1] == guide(chunks, timeline, [own], [], ALL, None).shots[1] != both.shots[0]


def test_shots_that_have_colour_are_left_alone(tmp_path, timeline, reference, caplog):
    colorized = [number > 5 for number in range(COUNT)]
    points = [Point(0, 40, 40, "#208020")]
    found = guide(cut(tmp_path / "chunks", 12), timeline, [reference], points, colorized, None)
    assert set(found.shots) == {1} and not found.tracks
    assert "SKIPPED: points in shot 0" in caplog.text


@pytest.mark.parametrize(
    ("point", "what"),
    [(Point(12, 0, 0, "#208020"), "last frame is 11"), (Point(3, 96, 0, "#208020"), "96 by 80 pixels")],
)
def test_hints_on_what_is_not_there(tmp_path, timeline, point, what):
    with pytest.raises(RestorationError, match=what):
        guide(cut(tmp_path / "chunks", 12), timeline, [], [point], ALL, None)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_reel_gives_any_frames(tmp_path, backwards):
    reel = Reel(cut(tmp_path / "chunks", 5))
    frames = FRAMES[3:11]
    np.testing.assert_array_equal(
        np.stack(list(reel.frames(3, 10, backwards=backwards))), frames[::-1] if backwards else frames
    )


def test_black_borders_stay_as_they_are(tmp_path, timeline, reference, caplog):
    box = (64, 60, 16, 10)
    points = [Point(2, 40, 40, "#208020", radius=80), Point(2, 3, 3, "#a02020")]
    guidance = guide(cut(tmp_path / "chunks", 12), timeline, [reference], points, ALL, box)
    assert "x 3, y 3 of frame 2 lies in a black border" in caplog.text
    steered = Guidance.from_json(guidance.to_json()).steered(FRAMES[2], 2, 0)
    changed = (steered != FRAMES[2]).any(axis=-1)
    assert changed[10:70, 16:80].mean() > 0.5
    changed[10:70, 16:80] = False
    assert not changed.any()
