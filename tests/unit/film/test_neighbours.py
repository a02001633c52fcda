"""Neighbours: brought to where the frame has everything, past dust, and told from repeats; noise, as it was put in."""

import cv2
import numpy as np
import pytest
from skimage import data

from restoration.film.defects import Damaged, grain
from restoration.film.neighbours import compensated, deviation, distinct, filled, flow, shown
from shots import SHOTS, psnr

INNER = np.s_[16:-16, 16:-16]


@pytest.fixture(scope="module")
def frame():
    return np.ascontiguousarray(data.astronaut()[100:400, 60:460])


@pytest.fixture(scope="module")
def moved():
    """The same, 5 pixels to the left and 3 up."""
    return np.ascontiguousarray(data.astronaut()[103:403, 65:465])


@pytest.mark.parametrize("scale", [1, 4])
def test_what_moved_is_brought_back(frame, moved, scale):
    large = [cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) for one in (frame, moved)]
    found = compensated(large[1], flow(*large))
    assert psnr(large[1][INNER], large[0][INNER]) < 20
    assert psnr(found[INNER], large[0][INNER]) > 33


def test_flow_goes_on_into_holes(frame, moved):
    true = flow(frame, moved)
    holes = np.zeros(frame.shape[:2], bool)
    holes[140:165, 190:215] = True
    astray = true.copy()
    astray[106:124, 146:166] = 30
    assert np.abs(filled(astray, holes) - true)[100:130, 140:170].max() < 0.5
    assert np.array_equal(filled(astray, holes)[:80], true[:80])


def test_what_is_out_of_sight_is_told():
    pan = np.full((60, 80, 2), (10, -5), np.float32)
    seen = shown(pan, 120, 160)
    assert seen[12:, :138].all()
    assert not seen[:, 142:].any()
    assert not seen[:8].any()


@pytest.mark.parametrize("deviated", [1.5, 3, 7, 12])
@pytest.mark.parametrize("shot", SHOTS)
def test_noise_is_measured(shot, deviated):
    frames = SHOTS[shot]()[5:7]
    noisy = grain(Damaged.none(frames), 3, deviation=deviated).frames
    gray = frames[0].mean(axis=2)
    true = np.std((noisy[0].astype(float) - frames[0])[(gray > 30) & (gray < 225)])
    assert deviation(noisy[0], compensated(noisy[1], flow(*noisy))) == pytest.approx(true, rel=0.2)


@pytest.mark.parametrize("shot", SHOTS)
def test_clean_shots_have_hardly_any(shot):
    frames = SHOTS[shot]()[5:7]
    assert deviation(frames[0], compensated(frames[1], flow(*frames))) < 0.6


def test_black_has_no_noise_to_tell():
    black = np.zeros((40, 40, 3), np.uint8)
    assert deviation(black, black) == 0


def test_repeats_are_no_neighbours():
    one, two, three = grain(Damaged.none(SHOTS["portrait"]()[:3]), 3).frames
    again = np.clip(one.astype(int) + np.arange(3) % 2, 0, 255).astype(np.uint8)
    assert [id(near) for near in distinct(one, [again, two, three])] == [id(two), id(three)]


def test_neighbours_of_what_stands_still_are_no_repeats():
    still = np.repeat(SHOTS["portrait"]()[:1], 4, axis=0)
    assert len(distinct(still[0], list(still[1:]))) == 3
    grainy = grain(Damaged.none(still), 3, deviation=3).frames
    assert len(distinct(grainy[0], list(grainy[1:]))) == 3


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 13)])
def test_tiny_pictures(size):
    frame, other = np.full((2, *size, 3), 100, np.uint8)
    assert np.array_equal(compensated(other, flow(frame, other)), frame)
