"""Gate weave: measured against a known truth, held still where the camera stands, and the camera's own moves kept."""

import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

import media_factory
from restoration.film import defects
from restoration.film.defects import Damaged
from restoration.film.weave import LAGS, Shift, enlargement, filled, moved, steady, surveyed

DEMO = Path(__file__).parents[3] / "demo" / "kinescope_clean.mp4"
COUNT = 48


def corrections(shifts):
    return surveyed(shifts).corrections


def luma(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def measured(frames):
    """What a file would give back."""
    lumas = [luma(frame) for frame in frames]
    shifts = [{lag: moved(lumas[k - lag], now) for lag in LAGS if lag <= k} for k, now in enumerate(lumas)]
    return [{int(lag): shift for lag, shift in json.loads(json.dumps(of_frame)).items()} for of_frame in shifts]


def told(way, rng=None, noise=0.02):
    """What `moved` would tell of pictures that lie along *way* (n, 2)."""
    rng = rng or np.random.default_rng(5)
    return [
        {lag: Shift(*(way[k] - way[k - lag] + rng.normal(0, noise, 2))) for lag in LAGS if lag <= k}
        for k in range(len(way))
    ]


def shaken(count, deviation=1.0, seed=1):
    """How the simulator weaves."""
    still = Damaged.none(np.zeros((count, 8, 8, 3), np.uint8))
    return defects.weave(still, seed, deviation=deviation).shifts


def off(residual, degree=0):
    """Root mean square per axis, but for a polynomial."""
    times = np.linspace(-1, 1, len(residual))
    fit = np.polynomial.polynomial.polyfit(times, residual, degree)
    return np.sqrt(((residual - np.polynomial.polynomial.polyval(times, fit).T) ** 2).mean(axis=0))


def psnr(frames, truth):
    return 10 * np.log10(255**2 / np.mean((np.asarray(frames, np.float32) - truth) ** 2))


@pytest.fixture(scope="module")
def shots():
    """The two of the demo, gliding: each (n, h, w, 3)."""
    frames = media_factory.decoded(DEMO)
    return [
        np.stack([cv2.resize(f, (320, 240), interpolation=cv2.INTER_AREA) for f in frames[first:][:COUNT]])
        for first in (0, COUNT)
    ]


@pytest.fixture(scope="module")
def tripod():
    """A camera that stands before a street in which a cat runs past."""
    street = cv2.resize(skimage.data.rocket(), (320, 240), interpolation=cv2.INTER_AREA)
    cat = cv2.resize(skimage.data.chelsea(), (120, 100), interpolation=cv2.INTER_AREA)
    frames = np.stack([street] * COUNT)
    for number, frame in enumerate(frames):
        frame[120:220, 4 * number : 4 * number + 120] = cat
    return frames


def test_moves_are_told_to_a_fraction_of_a_pixel(shots):
    frame = shots[0][0]
    for right, down in [(0.3, -0.4), (2.7, 1.2), (-11.5, 6.25)]:
        other = steady(frame, (right, down))
        assert moved(luma(frame), luma(other)) == pytest.approx((right, down), abs=0.03)


def test_exposure_dust_and_grain_do_not_look_like_motion(shots):
    still = Damaged.none(np.stack([shots[0][0]] * 8))
    hurt = defects.grain(defects.dust(defects.flicker(still, 1, deviation=0.25), 2, share=1), 3).frames
    for before, after in pairwise(hurt):
        assert moved(luma(before), luma(after)) == pytest.approx((0, 0), abs=0.1)


def test_a_zoom_is_no_move_of_its_centre(shots):
    frame = shots[0][0]
    assert moved(luma(frame), luma(steady(frame, (0, 0), zoom=1.03))) == pytest.approx((0, 0), abs=0.05)


def test_wide_pictures_are_measured_in_their_own_pixels():
    wide = cv2.resize(skimage.data.astronaut(), (1400, 900), interpolation=cv2.INTER_CUBIC)
    assert moved(luma(wide), luma(steady(wide, (3.6, -2.4)))) == pytest.approx((3.6, -2.4), abs=0.1)


def test_where_nothing_can_be_told_nothing_is():
    noise = np.random.default_rng(1).integers(0, 255, (2, 240, 320), np.uint8)
    black, tiny = np.zeros((240, 320), np.uint8), noise[:, :40, :40]
    assert moved(black, black) is None
    assert moved(black + 128, noise[0]) is None
    assert moved(*tiny) is None
    assert moved(*noise) is None


@pytest.mark.parametrize("names", [["weave"], ["weave", "flicker", "dust", "grain"]])
def test_a_camera_that_stands_is_held_still(tripod, names):
    hurt = defects.damage(tripod, *names)
    found = corrections(measured(hurt.frames))
    assert np.all(off(found + hurt.shifts) < 0.1)
    mended = [steady(frame, one) for frame, one in zip(hurt.frames, found, strict=True)]
    gained = psnr(mended, tripod) - psnr(hurt.frames, tripod)
    assert gained > (7 if names == ["weave"] else 1)


@pytest.mark.parametrize("names", [["weave"], ["weave", "flicker", "dust", "grain"]])
@pytest.mark.parametrize("number", [0, 1])
def test_a_camera_that_glides_goes_on_without_shaking(shots, number, names):
    """A slow sway cannot be told from a glide: that is a cubic curve here."""
    hurt = defects.damage(shots[number], *names, seed=2)
    found = corrections(measured(hurt.frames))
    residual = found + hurt.shifts
    assert np.all(off(residual, 3) < 0.2)
    assert np.all(np.diff(residual, 2, axis=0).std(axis=0) < 0.1 * np.diff(hurt.shifts, 2, axis=0).std(axis=0))
    mended = [steady(frame, one) for frame, one in zip(hurt.frames, found, strict=True)]
    assert psnr(mended, shots[number]) > psnr(hurt.frames, shots[number]) + (5 if names == ["weave"] else 1.5)


def test_clean_pictures_are_left_as_they_are(shots, tripod):
    for frames in (*shots, tripod):
        found = corrections(measured(frames))
        assert not found.any()
        assert all(steady(frame, one) is frame for frame, one in zip(frames, found, strict=True))


@pytest.mark.parametrize("speed", [0.5, 3.0])
def test_a_pan_remains_a_pan(speed):
    pan = speed * np.arange(150.0)[:, None] * (1, 0.3)
    weave = shaken(150)
    smooth = pan + weave + corrections(told(pan + weave))
    assert np.all(off(smooth - pan) < 0.35)
    assert np.abs(smooth - pan).max() < 1.2
    assert np.all(np.diff(smooth - pan, 2, axis=0).std(axis=0) < 0.03)


def test_a_pan_that_starts_and_stops_at_once_loses_no_border():
    pan = 6 * np.clip(np.arange(200.0) - 80, 0, 40)[:, None] * (1, 0)
    assert np.abs(corrections(told(pan + shaken(200)))).max() < 5


def test_wrong_measurements_do_no_harm():
    weave = shaken(120)
    shifts = told(weave)
    rng = np.random.default_rng(3)
    for number in rng.choice(np.arange(10, 120), 20, replace=False):
        shifts[number][rng.choice(LAGS)] = [35.0, -20.0]
    shifts[40] = dict.fromkeys(LAGS)
    found = corrections(shifts)
    assert np.all(off(found + weave) < 0.1)


def test_a_picture_of_which_nothing_is_known_stays():
    weave = shaken(60)
    shifts = told(weave)
    for number, known in enumerate(shifts):
        for lag in known:
            if 30 in (number, number - lag):
                known[lag] = None
    found = corrections(shifts)
    assert not found[30].any()
    assert np.all(off(np.delete(found + weave, 30, axis=0)) < 0.1)


def test_a_gap_in_what_is_known_is_no_jump_of_the_gate():
    weave, pan = shaken(160), 1.5 * np.arange(160.0)[:, None]
    shifts = told(weave + pan + np.where(np.arange(160) < 80, 0, 300)[:, None])
    for known, number in zip(shifts[80:], range(80, 160), strict=True):
        for lag in known:
            if number - lag < 80:
                known[lag] = None
    residual = corrections(shifts) + weave
    assert np.all(off(residual[:80]) < 0.5) and np.all(off(residual[80:]) < 0.5)


def test_a_bump_is_left_alone_and_spoils_nothing():
    pan, weave, bump = 0.8 * np.arange(120.0)[:, None], shaken(120), np.zeros((120, 2))
    bump[60:62] = 12, -9
    found = corrections(told(pan + weave + bump))
    assert not found[60:62].any()
    assert np.all(off(np.delete(found + weave, [60, 61], axis=0)) < 0.3)


def test_measurements_that_contradict_each_other_are_no_weave():
    assert not corrections(told(np.zeros((200, 2)), noise=0.25)).any()


@pytest.mark.parametrize("count", range(4))
def test_the_shortest_shots(count):
    nothing = [dict.fromkeys(lag for lag in LAGS if lag <= number) for number in range(count)]
    assert corrections(nothing).shape == (count, 2) and not corrections(nothing).any()
    assert np.abs(corrections(told(shaken(COUNT)[:count]))).max(initial=0) < 3


def test_long_shots_do_not_drift():
    weave = shaken(5000)
    assert np.all(off(corrections(told(weave)) + weave) < 0.25)


def test_enlarged_pictures_show_nothing_beyond_the_border():
    found = np.array([[3.2, -0.4], [-1.0, 2.9], [0.1, 0.1]])
    zoom = enlargement(found, 120, 160)
    assert 1.04 < zoom < 1.06
    # Where the border is replicated, the ramp would stop rising.
    ramp = np.repeat(np.arange(160, dtype=np.uint8)[None], 120, axis=0)
    for one in found:
        row = steady(np.dstack([ramp] * 3), one, zoom=zoom)[60, :, 0].astype(int)
        assert row[0] < row[2] < row[4] and row[-5] < row[-3] < row[-1]
    assert enlargement(np.zeros((5, 2)), 120, 160) == 1
    assert enlargement(np.zeros((0, 2)), 120, 160) == 1


def test_what_is_hardly_off_is_not_resampled(shots):
    frame = shots[0][0]
    assert steady(frame, (0.019, -0.019)) is frame
    assert steady(frame, (0.0, 0.03)) is not frame


def test_borders_are_filled_from_neighbours_that_have_them(shots):
    scene = shots[0][0]
    views = [np.ascontiguousarray(scene[20:220, 20 - x : 300 - x]) for x in (6, 3, -3, -6)]
    lie = np.array([[6.0, 0], [3, 0], [-3, 0], [-6, 0]])
    frame, mask = filled(views[3], (6.0, 0.0), [(views[k], lie[3] + (6, 0) - lie[k]) for k in (2, 1)])
    assert np.array_equal(mask, np.broadcast_to(np.arange(280) < 6, (200, 280)))
    assert np.abs(frame[:, :-8].astype(int) - scene[20:220, 20:292]).max() <= 1
    nearest = filled(views[3], (6.0, 0.0), [(views[2], (3.0, 0.0)), (np.full_like(views[1], 255), (-3.0, 0.0))])[0]
    assert np.array_equal(nearest[:, 3:], frame[:, 3:]) and nearest[:, :3].min() == 255
    alone, same = filled(views[3], (6.0, 0.0), [])
    assert np.array_equal(alone, steady(views[3], (6.0, 0.0))) and np.array_equal(same, mask)
    whole, none = filled(views[3], (0.0, 0.4), [(views[2], (3.0, 0.0))])
    assert not none.any() and np.array_equal(whole, steady(views[3], (0.0, 0.4)))


def test_places_tell_by_how_far_the_camera_went():
    pan = 1.5 * np.arange(60.0)[:, None] * (1, -0.5)
    shifts = told(pan, noise=0)
    shifts[30] = dict.fromkeys(LAGS)
    for known, number in zip(shifts, range(60), strict=True):
        for lag in known:
            if number - lag == 30:
                known[lag] = None
    found = surveyed(shifts).places
    assert np.allclose(found - found[0], pan, atol=0.05)
