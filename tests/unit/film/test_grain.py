"""Grain: measured, calmed without ghosts, and put back, the same for every frame whenever it is asked for."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from restoration.film import grain as module
from restoration.film.defects import Damaged, grain
from restoration.film.grain import calmed, grainy, noise
from shots import SHOTS, around, glided, psnr, run_past

MIDDLE = 5


def grained(frames, deviation=7):
    return grain(Damaged.none(frames), 2, deviation=deviation).frames


def calm(frames, number=MIDDLE, strength=1.0):
    near = around(frames, number)
    return calmed(frames[number], *near, noise=noise(frames[number], *near), strength=strength)


@pytest.mark.parametrize("deviation", [3, 7])
@pytest.mark.parametrize("shot", SHOTS)
def test_grain_is_calmed(shot, deviation):
    truth = SHOTS[shot]()
    frames = grained(truth, deviation)
    result = calm(frames)
    assert psnr(result, truth[MIDDLE]) > psnr(frames[MIDDLE], truth[MIDDLE]) + 3
    before, after = (structural_similarity(one, truth[MIDDLE], channel_axis=2) for one in (frames[MIDDLE], result))
    assert after > before + (0.05 if deviation == 7 else 0.01)


@pytest.mark.parametrize("shot", SHOTS)
def test_clean_frames_stay(shot):
    frames = SHOTS[shot]()
    assert psnr(calm(frames), frames[MIDDLE]) > 45


def test_no_ghosts():
    """Where somebody runs, and has just been or will be, nothing is farther from the truth than the grain was."""
    truth = run_past()
    frames = grained(truth)
    changes = np.abs(truth[MIDDLE].astype(int) - truth[MIDDLE - 2 : MIDDLE + 3]).max(axis=(0, 3)) > 40
    error, before = (np.abs(one.astype(int) - truth[MIDDLE])[changes] for one in (calm(frames), frames[MIDDLE]))
    assert changes.mean() > 0.05
    assert np.mean(error**2) < np.mean(before**2)
    assert np.quantile(error, 0.999) <= np.quantile(before, 0.999)


def test_strength_is_the_share_taken_away():
    frames = grained(glided(0))
    own = frames[MIDDLE].astype(float)
    all_of_it, half = calm(frames) - own, calm(frames, strength=0.5) - own
    assert np.abs(half - all_of_it / 2).max() <= 1
    assert np.array_equal(calm(frames, strength=0), frames[MIDDLE])


def test_repeats_have_the_same_grain():
    """Film of 12 frames a second, shown at 24: its grain is seen, and calmed, all the same."""
    truth = glided(0, 6)
    frames = grained(truth).repeat(2, axis=0)
    assert noise(frames[5], *around(frames, 5)) > 4
    assert psnr(calm(frames), truth[2]) > psnr(frames[5], truth[2]) + 3


def test_without_neighbours_nothing_is_known():
    (frame,) = grained(glided(0)[:1])
    assert noise(frame, [], []) == 0
    assert np.array_equal(calmed(frame, [], [], noise=7, strength=1), frame)


def test_grain_put_back():
    frame = np.full((300, 400, 3), 128, np.uint8)
    result = grainy(frame, 3, deviation=6).astype(float)
    assert result.std() == pytest.approx(6, rel=0.05)
    assert result.mean() == pytest.approx(128, abs=0.1)
    assert np.ptp(result, axis=2).max() == 0
    lone = result[..., 0] - result.mean()
    assert 0.2 < np.mean(lone[:, 1:] * lone[:, :-1]) / lone.var() < 0.7


def test_grain_fades_towards_black_and_white():
    tones = np.repeat(np.uint8([0, 20, 128, 235, 255]), 200)[None, :, None].repeat(200, axis=0).repeat(3, axis=2)
    spread = grainy(tones, 3, deviation=6).astype(float).reshape(200, 5, 200, 3)
    deviations, means = spread.std(axis=(0, 2, 3)), spread.mean(axis=(0, 2, 3))
    assert deviations[0] == deviations[4] == 0
    assert 2 < deviations[1] < 0.7 * deviations[2]
    assert means == pytest.approx([0, 20, 128, 235, 255], abs=0.3)


def test_every_frame_has_its_own_grain_whenever_asked():
    frame = glided(0)[0]
    numbers = [7, 0, 123456, 7]
    results = [grainy(frame, number, deviation=6) for number in numbers]
    assert np.array_equal(results[0], results[3])
    module._field.cache_clear()
    assert np.array_equal(grainy(frame, 7, deviation=6), results[0])
    changes = [one.astype(float) - frame for one in (*results[:3], grainy(frame, 6, deviation=6))]
    likeness = np.corrcoef([one.mean(axis=2).ravel() for one in changes]) - np.eye(4)
    assert np.abs(likeness).max() < 0.05


def test_enlarged_pictures_get_larger_grains():
    frame = np.full((300, 400, 3), 128, np.uint8)

    def roughness(size):
        result = grainy(frame, 3, deviation=6, size=size).astype(float)
        assert result.std() == pytest.approx(6, rel=0.1)
        return np.abs(np.diff(result, axis=1)).mean()

    assert roughness(2) < 0.6 * roughness(1)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (1100, 30)])
def test_any_size(size):
    frames = np.full((3, *size, 3), 100, np.uint8)
    assert calmed(frames[1], [frames[0]], [frames[2]], noise=3, strength=1).shape == (*size, 3)
    assert grainy(frames[0], 0, deviation=5).shape == (*size, 3)
