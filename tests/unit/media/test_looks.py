"""What is seen from afar: black and frozen stretches, borders."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut, chelsea, rocket

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


def seen_as(picture):
    return colourfulness(picture) > COLOURED


GRAY = (astronaut().astype(float) @ [0.299, 0.587, 0.114])[..., None]


def half_saturated(picture):
    yuv = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV).astype(float)
    yuv[..., 1:] = 128 + (yuv[..., 1:] - 128) / 2
    return cv2.cvtColor(np.rint(yuv).astype(np.uint8), cv2.COLOR_YUV2RGB)


@pytest.mark.parametrize("picture", [astronaut(), rocket(), chelsea()], ids=["astronaut", "rocket", "cat"])
def test_photographs_have_colour_pale_ones_too(picture):
    assert seen_as(picture) and seen_as(half_saturated(picture))
    assert not seen_as((picture @ [0.3, 0.6, 0.1])[..., None].repeat(3, axis=-1).astype(np.uint8))


@pytest.mark.parametrize("tint", [(1, 1, 1), (1.1, 0.95, 0.75), (1, 0.75, 0.4)], ids=str)
def test_toned_pictures_have_no_colour(tint):
    assert not seen_as((GRAY * tint).clip(0, 255).astype(np.uint8))


def test_gray_pictures_stay_gray_under_a_logo_a_cast_and_a_tapes_noise():
    gray = GRAY.repeat(3, axis=-1)
    logo = gray.astype(np.uint8)
    logo[20:60, 440:480] = (220, 20, 20)
    assert not seen_as(logo)
    leaning = gray + np.linspace(-8, 8, gray.shape[1])[:, None] * [1, 0, 0]
    assert not seen_as(leaning.clip(0, 255).astype(np.uint8))
    yuv = cv2.cvtColor(gray.astype(np.uint8), cv2.COLOR_RGB2YUV).astype(float)
    yuv[..., 1:] += np.random.default_rng(1).normal(0, 8, yuv[..., 1:].shape)
    assert not seen_as(cv2.cvtColor(yuv.clip(0, 255).astype(np.uint8), cv2.COLOR_YUV2RGB))


def test_darkness_has_no_colour():
    assert colourfulness(np.random.default_rng(1).integers(0, 19, (40, 40, 3), dtype=np.uint8)) == 0
