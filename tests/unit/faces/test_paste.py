"""Faces back in their frames: nothing beyond the mask changes, nothing moves, nothing darkens at the border."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from restoration.faces.align import TEMPLATE, aligned, alignment
from restoration.faces.paste import mean_colour, pasted, recoloured, soft_mask

LANDMARKS = np.array([[205, 102], [247, 104], [225, 129], [202, 139], [245, 142]], np.float32)
"""Of the astronaut; looked at."""
NEARLY_ALL = np.pad(np.ones((492, 492), np.float32), 10)
"""The largest mask that a parser gives."""


def matrix(edge, x, y):
    """Of a face whose crop is *edge* pixels wide in its frame, centred at x, y."""
    return alignment(((TEMPLATE - 256) * edge / 512 + [x, y]).astype(np.float32))


def noise(*shape, seed=1):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def difference(one, other):
    return np.abs(one.astype(int) - other)


def test_the_soft_mask_is_an_ellipse_around_the_features():
    mask = soft_mask()
    assert (mask.shape, mask.dtype) == ((512, 512), np.float32)
    assert mask.min() == 0 and mask.max() == 1
    assert all(mask[round(y), round(x)] == 1 for x, y in TEMPLATE.tolist())
    assert not any(np.rot90(mask, turns)[:6].any() for turns in range(4))
    # From brow to chin, and as far to the left as to the right.
    assert mask[120, 256] == mask[430, 256] == 1
    np.testing.assert_array_equal(mask[:, 257:], mask[:, 255:0:-1])
    # From the inside to the outside it only falls, without steps.
    across = mask[266]
    assert (np.diff(across[256:]) <= 0).all() and np.abs(np.diff(across)).max() < 0.05


def test_a_colour_is_the_mean_within_the_mask():
    face = np.full((512, 512, 3), (200, 30, 60), np.uint8)
    face[:, 256:] = (10, 120, 90)
    half = np.zeros((512, 512), np.float32)
    half[:, :256] = 0.25
    (yuv,) = cv2.cvtColor(np.uint8([[[200, 30, 60]]]), cv2.COLOR_RGB2YUV)[0]
    np.testing.assert_allclose(mean_colour(face, half), yuv)


@pytest.mark.parametrize("change", [(0, 0, 0), (12.4, -7.5, 3.2), (-20, 5, 5)])
def test_a_face_gets_another_mean_colour_and_keeps_its_contrast(change):
    face, mask = aligned(astronaut() // 2 + 60, alignment(LANDMARKS)), soft_mask()
    result = recoloured(face, np.array(change))
    np.testing.assert_allclose(mean_colour(result, mask) - mean_colour(face, mask), change, atol=0.7)
    lumas = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).std() for picture in (face, result)]
    assert lumas[1] == pytest.approx(lumas[0], rel=0.02)


def test_colours_end_at_black_and_white_and_do_not_wrap():
    assert (recoloured(np.full((4, 4, 3), 250, np.uint8), np.array([30.0, 0, 0])) == 255).all()
    assert (recoloured(np.full((4, 4, 3), 5, np.uint8), np.array([-30.0, 0, 0])) == 0).all()


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_face_that_nobody_changed_changes_little(scale):
    """And where the mask is 0, nothing."""
    source = cv2.GaussianBlur(astronaut(), (0, 0), 2)
    frame = cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    matrix = alignment(LANDMARKS)
    result, weight = pasted(frame, aligned(source, matrix), matrix, scale, soft_mask(), 1)
    apart = difference(result, frame)
    assert 15_000 < (weight > 0).sum() / scale**2 < 20_000
    # Half a pixel aside it is 20 and more.
    assert apart.max() <= 6 and apart[weight > 0].mean() < 0.6
    np.testing.assert_array_equal(result[weight == 0], frame[weight == 0])


def test_beyond_the_mask_nothing_changes_and_inside_it_is_the_face():
    frame, face = noise(300, 400, 3), np.full((512, 512, 3), (200, 100, 50), np.uint8)
    before = frame.copy()
    result, weight = pasted(frame, face, matrix(150, 210, 160), 1, soft_mask(), 1)
    np.testing.assert_array_equal(frame, before)
    assert (weight.shape, weight.dtype, result.dtype) == ((300, 400), np.float32, np.uint8)
    np.testing.assert_array_equal(result[weight == 0], frame[weight == 0])
    assert (result[weight == 1] == (200, 100, 50)).all() and (weight == 1).sum() > 4000
    # What the record calls untouched, less than half of 1/255, is so.
    np.testing.assert_array_equal(result[weight < 0.5 / 255], frame[weight < 0.5 / 255])


def test_a_face_is_pasted_at_its_place_in_the_enlarged_frame():
    face = np.zeros((512, 512, 3), np.uint8)
    dot = TEMPLATE[2].round().astype(int)
    face[dot[1] - 4 : dot[1] + 5, dot[0] - 4 : dot[0] + 5] = 255
    x, y = TEMPLATE[2].round() / 512 * 128 + [80 - 64, 90 - 64]
    for scale in (1, 2, 4):
        frame = np.zeros((200 * scale, 200 * scale, 3), np.uint8)
        result, _ = pasted(frame, face, matrix(128, 80, 90), scale, soft_mask(), 1)
        light = result[..., 0] / result[..., 0].sum(dtype=float)
        found = light.sum(axis=0) @ np.arange(200 * scale), light.sum(axis=1) @ np.arange(200 * scale)
        np.testing.assert_allclose(found, [(x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5], atol=0.06)


@pytest.mark.parametrize("strength", [0, 0.25, 0.5, 0.9])
def test_strength_is_a_share(strength):
    frame, face = noise(200, 200, 3), noise(512, 512, 3, seed=2)
    whole, weight = pasted(frame, face, matrix(100, 90, 100), 1, soft_mask(), 1)
    result, share = pasted(frame, face, matrix(100, 90, 100), 1, soft_mask(), strength)
    np.testing.assert_allclose(share, strength * weight, rtol=1e-6)
    expected = frame + strength * (whole.astype(float) - frame)
    assert np.abs(result - expected).max() <= 1
    assert strength or not (result != frame).any()


@pytest.mark.parametrize("mask", [soft_mask(), NEARLY_ALL, np.ones((512, 512), np.float32)])
@pytest.mark.parametrize("edge", [8, 21, 33, 100, 700])
def test_weights_are_shares(edge, mask):
    frame, face = noise(200, 200, 3), noise(512, 512, 3, seed=2)
    for shift in (0, 0.3, 0.7):
        result, weight = pasted(frame, face, matrix(edge, 100 + shift, 100 - shift), 1, mask, 1)
        assert weight.min() >= 0 and weight.max() <= 1 + 1e-6
        # All of the mask is there, at its size.
        assert edge > 200 or weight.sum() == pytest.approx(mask.sum() * (edge / 512) ** 2, rel=0.02)
        np.testing.assert_array_equal(result[weight == 0], frame[weight == 0])


BORDERS = {
    "left": (0, 100), "right": (219, 100), "top": (110, 0), "bottom": (110, 199),
    "corner": (219, 199), "all": (110, 100),
}  # fmt: skip


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("place", BORDERS)
def test_a_face_cut_by_the_border_is_the_part_of_a_whole_one(place, scale):
    (x, y), edge, margin = BORDERS[place], 600 if place == "all" else 120, 400
    face = aligned(astronaut(), alignment(LANDMARKS))
    wide = noise((200 + 2 * margin) * scale, (220 + 2 * margin) * scale, 3)
    inside = np.s_[margin * scale : (margin + 200) * scale, margin * scale : (margin + 220) * scale]
    whole, whole_weight = pasted(wide, face, matrix(edge, x + margin, y + margin), scale, soft_mask(), 1)
    result, weight = pasted(wide[inside].copy(), face, matrix(edge, x, y), scale, soft_mask(), 1)
    assert 0.3 < (weight.sum() / whole_weight.sum()) < 0.8 or place in ("corner", "all")
    assert weight.max() == 1
    np.testing.assert_allclose(weight, whole_weight[inside], atol=1e-3)
    assert difference(result, whole[inside]).max() <= 1


@pytest.mark.parametrize("place", [(-500, 100), (100, -500), (900, 100), (100, 900)])
def test_a_face_beyond_the_border_is_nowhere(place):
    frame = noise(200, 220, 3)
    result, weight = pasted(frame, noise(512, 512, 3, seed=2), matrix(120, *place), 1, soft_mask(), 1)
    np.testing.assert_array_equal(result, frame)
    assert weight.shape == (200, 220) and not weight.any()


@pytest.mark.parametrize("edge", [16, 24, 36, 100, 400])
@pytest.mark.parametrize("mask", [soft_mask(), NEARLY_ALL], ids=["ellipse", "parser"])
def test_small_faces_have_no_dark_border(edge, mask):
    """What is beyond the crop is unknown, not black."""
    frame, face = np.full((200, 200, 3), 200, np.uint8), np.full((512, 512, 3), 200, np.uint8)
    for shift in (0, 0.4):
        result, weight = pasted(frame, face, matrix(edge, 100 + shift, 100 + shift), 1, mask, 1)
        assert weight.max() == 1
        np.testing.assert_array_equal(result, frame)
