"""Flicker of luma: measured whatever moves, evened, and what was meant (fades, steps, flashes) left alone."""

import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

import media_factory
from restoration.film import defects
from restoration.film.flicker import NEUTRAL, Tone, change, corrections, evened
from restoration.film.weave import steady

DEMO = Path(__file__).parents[3] / "demo" / "kinescope_clean.mp4"
COUNT = 48


def luma(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def measured(frames):
    """What a file would give back."""
    return [None, *json.loads(json.dumps([change(luma(a), luma(b)) for a, b in pairwise(frames)]))]


def told(exposure, seed=5):
    """What `change` would tell of pictures of an *exposure* (n,), in its logarithm."""
    noise = np.random.default_rng(seed).normal(0, 0.002, len(exposure))
    return [None, *(Tone(step, 0.0) for step in np.diff(exposure + noise))]


def flickering(count, deviation=0.08, seed=1):
    return np.random.default_rng(seed).normal(0, deviation, count)


def gains(tones):
    return np.array([tone.gain for tone in tones])


def lit(frame, gain):
    return np.rint(frame * np.float32(gain)).clip(0, 255).astype(np.uint8)


def psnr(frames, truth):
    return 10 * np.log10(255**2 / np.mean((np.asarray(frames, np.float32) - truth) ** 2))


@pytest.fixture(scope="module")
def shots():
    """The two of the demo, gliding: each (n, h, w, 3)."""
    frames = media_factory.decoded(DEMO)
    small = np.stack([cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA) for frame in frames])
    return small[:COUNT], small[COUNT:]


@pytest.mark.parametrize("gain", [0.75, 0.95, 1.0, 1.3])
def test_a_change_of_exposure_is_told(shots, gain):
    # Headroom, as film has it: what is clipped tells nothing.
    frame = lit(shots[0][0], 0.7)
    tone = change(luma(frame), luma(lit(frame, gain)))
    assert tone.gain == pytest.approx(np.log(gain), abs=0.004)
    assert tone.offset == pytest.approx(0, abs=0.5)


def test_an_offset_is_told_where_there_is_contrast(shots):
    before = luma(lit(shots[0][0], 0.7))
    tone = change(before, np.rint(before * 0.9 + 12).astype(np.uint8))
    assert np.exp(tone.gain) * 120 + tone.offset == pytest.approx(0.9 * 120 + 12, abs=1)
    assert tone.offset == pytest.approx(12, abs=4)
    rng = np.random.default_rng(1)
    flat = cv2.resize(rng.normal(140, 4, (12, 16)), (320, 240), interpolation=cv2.INTER_CUBIC)
    tone = change(np.rint(flat).astype(np.uint8), np.rint(flat * 0.9 + 12).astype(np.uint8))
    assert tone.offset == pytest.approx(0, abs=1)
    assert np.exp(tone.gain) * 140 + tone.offset == pytest.approx(0.9 * 140 + 12, abs=1)


def test_what_enters_the_picture_is_no_change_of_exposure(shots):
    before = lit(shots[0][0], 0.7)
    after = lit(before, 1.1)
    after[60:200, 100:220] = cv2.resize(skimage.data.chelsea(), (120, 140)) // 4
    assert abs(luma(after).mean() / luma(before).mean() - 1.1) > 0.1
    assert change(luma(before), luma(after)).gain == pytest.approx(np.log(1.1), abs=0.01)


def test_motion_and_dust_are_no_change_of_exposure(shots):
    frame = shots[0][0]
    moved = defects.dust(defects.Damaged.none(steady(frame, (5, -3))[None]), 1, share=1, per_frame=8).frames[0]
    assert change(luma(frame), luma(moved)).gain == pytest.approx(0, abs=0.006)


def test_where_nothing_can_be_told_nothing_is():
    black, white, gray = (np.full((48, 64), level, np.uint8) for level in (0, 255, 128))
    assert change(black, black) is None
    assert change(gray, white) is None
    assert change(gray[:8, :8], gray[:8, :8]) is None
    assert change(gray, gray) == pytest.approx((0, 0), abs=1e-6)


@pytest.mark.parametrize("names", [["flicker"], ["flicker", "weave", "dust", "grain"]])
@pytest.mark.parametrize("number", [0, 1])
def test_flicker_is_evened_while_the_camera_glides(shots, number, names):
    hurt = defects.damage(shots[number], *names)
    found = corrections(measured(hurt.frames))
    left = np.log(hurt.gains) + gains(found)
    assert left.std() < np.log(hurt.gains).std() / 5
    assert np.diff(left).std() < np.diff(np.log(hurt.gains)).std() / 20
    mended = [evened(frame, tone, 1.0) for frame, tone in zip(hurt.frames, found, strict=True)]
    assert psnr(mended, shots[number]) > psnr(hurt.frames, shots[number]) + (10 if names == ["flicker"] else 0.7)


def test_clean_pictures_are_left_as_they_are(shots):
    for frames in shots:
        found = corrections(measured(frames))
        assert found == [NEUTRAL] * COUNT
        assert all(evened(frame, tone, 1.0) is frame for frame, tone in zip(frames, found, strict=True))


@pytest.mark.parametrize("frames", [1, 2])
def test_a_lamp_stays_switched_on(shots, frames):
    """At once, or while the shutter is open."""
    light = np.interp(np.arange(COUNT), [23, 23 + frames], [0.6, 0.6 * 1.6])
    clean = np.stack([lit(frame, gain) for frame, gain in zip(shots[1], light, strict=True)])
    assert corrections(measured(clean)) == [NEUTRAL] * COUNT
    hurt = defects.flicker(defects.Damaged.none(clean), 3, deviation=0.04)
    left = np.log(hurt.gains) + gains(corrections(measured(hurt.frames)))
    sure = np.delete(np.arange(COUNT), np.arange(24, 23 + frames))
    assert np.abs(left - left.mean())[sure].max() < 0.05


def test_fades_stay(shots):
    fade = np.clip((COUNT - np.arange(COUNT)) / 25, 0, 1)
    clean = np.stack([lit(frame, gain) for frame, gain in zip(shots[0], fade, strict=True)])
    assert corrections(measured(clean)) == [NEUTRAL] * COUNT
    hurt = defects.flicker(defects.Damaged.none(clean), 1)
    found = gains(corrections(measured(hurt.frames)))
    left = np.log(hurt.gains) + found
    assert np.diff(left[:40]).std() < np.diff(np.log(hurt.gains[:40])).std() / 3
    assert np.abs(left - left.mean())[:40].max() < 0.2


def test_flashes_are_left_alone_and_spoil_nothing():
    exposure = flickering(90, 0.03)
    flashes = [0, 20, 50, 51, 89]
    bright = exposure.copy()
    bright[flashes] += 0.6
    found = corrections(told(bright))
    assert [found[flash] for flash in flashes] == [NEUTRAL] * len(flashes)
    left = np.delete(exposure + gains(found), flashes)
    assert left.std() < 0.03 / 4


@pytest.mark.parametrize("seed", range(5))
def test_flicker_is_not_taken_for_lamps_and_flashes(seed):
    exposure = flickering(200, 0.1, seed)
    assert (exposure + gains(corrections(told(exposure)))).std() < 0.1 / 4


def test_frames_without_a_tone_begin_anew():
    exposure = flickering(80)
    tones = told(exposure)
    tones[40] = None
    left = exposure + gains(corrections(tones))
    assert left[:40].std() < 0.02 and left[40:].std() < 0.02


@pytest.mark.parametrize("count", range(4))
def test_the_shortest_shots(count):
    assert corrections([None] * count) == [NEUTRAL] * count
    assert np.abs(gains(corrections(told(flickering(count))))).max(initial=0) < 0.3


def test_long_shots():
    exposure = flickering(5000) + np.linspace(0, 3, 5000)
    left = exposure + gains(corrections(told(exposure))) - np.linspace(0, 3, 5000)
    assert left.std() < 0.08 / 5


def test_evening_is_one_table_for_all_channels():
    frame = np.random.default_rng(1).integers(0, 256, (8, 9, 3), np.uint8)
    tone = Tone(0.2, -3.0)
    for strength in (1.0, 0.5):
        wanted = np.rint(np.exp(0.2 * strength) * frame - 3 * strength).clip(0, 255)
        assert np.array_equal(evened(frame, tone, strength), wanted)
    assert evened(frame, tone, 0.0) is frame
    assert evened(frame, NEUTRAL, 1.0) is frame
