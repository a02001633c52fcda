"""What is seen from afar: black and frozen stretches, borders."""

import numpy as np
import pytest

from media_factory import pictures
from restoration.media.looks import COLOURED, colourfulness, content_box, froze, light_and_change, look, went_black


def test_light_and_change():
    frames = [np.full((48, 64, 3), value, np.uint8) for value in (10, 10, 40)]
    light, change = light_and_change(map(look, frames))
    assert (light.tolist(), change.tolist()) == ([10, 10, 40], [0, 0, 30])


def test_black_is_only_what_was_lit():
    assert went_black(np.array([20.0, 20.0, 10.0]), np.array([0.5, 5.0, 0.5])).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ([2.0] * 8, []),
        ([2, 0, 0, 0, 0, 2, 2, 2], [(1, 4)]),
        ([2, 2, 2, 2, 2, 0, 0, 0], [(5, 7)]),
        ([2, 0, 0, 2, 2, 0, 0, 2], []),
        ([0.0] * 8, [(0, 7)]),
    ],
    ids=["moves", "stands", "to the end", "too short", "all"],
)
def test_frozen_stretches(after, found):
    assert list(froze(np.full(8, 2.0), np.array(after, float))) == found
    assert list(froze(np.zeros(8), np.array(after, float))) == []


@pytest.mark.parametrize(
    ("left", "right", "top", "bottom", "box"),
    [
        (0, 0, 0, 0, None),
        (8, 8, 0, 0, (48, 48, 8, 0)),
        (0, 0, 6, 10, (64, 32, 0, 6)),
        (9, 7, 0, 0, (50, 48, 8, 0)),
        (28, 28, 0, 0, None),
    ],
    ids=["none", "pillars", "letterbox", "odd", "hardly anything"],
)
def test_borders(left, right, top, bottom, box):
    picture = np.full((48, 64), 20, np.uint8)
    picture[top : 48 - bottom, left : 64 - right] = pictures(1)[0, top : 48 - bottom, left : 64 - right, 0] + 30
    assert content_box(picture) == box


def test_a_black_video_has_no_borders():
    assert content_box(np.zeros((48, 64), np.uint8)) is None


@pytest.mark.parametrize(("tint", "has_colour"), [((1, 1, 1), False), ((1.1, 0.95, 0.75), False), (None, True)])
def test_toned_pictures_have_no_colour(tint, has_colour):
    picture = pictures(1, 160, 120)[0]
    if tint:
        picture = (picture[..., 1:2] * np.array(tint)).clip(0, 255).astype(np.uint8)
    assert (colourfulness(look(picture)) > COLOURED) == has_colour
