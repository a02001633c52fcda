"""Dust goes, and nothing else: what moves, shines, blinks or is cut stays."""

import cv2
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from restoration.film.defects import Damaged, dust, grain, mpeg
from restoration.film.dust import dusted
from shots import SHOTS, around, glided, psnr

NEAR = np.ones((3, 3), np.uint8)
VISIBLE = 20
"""Steps of 255 that dust must differ from what it covers to be missed when it is not found."""


def clean(frames, numbers=None, sensitivity=0.5):
    numbers = range(len(frames)) if numbers is None else numbers
    return zip(*[dusted(frames[n], *around(frames, n), sensitivity=sensitivity) for n in numbers], strict=True)


def ssim(result, truth):
    return structural_similarity(result, truth, channel_axis=2)


@pytest.mark.parametrize("deviation", [0, 7])
@pytest.mark.parametrize("shot", SHOTS)
def test_dust_is_found_and_replaced(shot, deviation):
    truth = Damaged.none(SHOTS[shot]())
    before = grain(truth, 2, deviation=deviation) if deviation else truth
    dusty = dust(before, 5, per_frame=4)
    inner = np.arange(3, 9)
    results, masks = clean(dusty.frames, inner)
    seen = dusty.dust & (np.abs(dusty.frames.astype(int) - before.frames).max(axis=3) > VISIBLE)
    found, near = np.stack(masks) > 127, [cv2.dilate(one.astype(np.uint8), NEAR) > 0 for one in dusty.dust[inner]]
    assert found[seen[inner]].mean() > 0.8
    assert np.stack(near)[found].mean() > 0.9
    damaged = seen[inner].any(axis=(1, 2))
    assert damaged.any()
    for number, result, hurt in zip(inner, results, damaged, strict=True):
        lost, left = (psnr(one, before.frames[number]) for one in (dusty.frames[number], result))
        if hurt:
            assert left > lost + 3
            assert ssim(result, before.frames[number]) > ssim(dusty.frames[number], before.frames[number])
        else:
            lost, left = (psnr(one, truth.frames[number]) for one in (dusty.frames[number], result))
            assert left > min(lost, 45) - 0.3


def test_compressed_dust_goes_too():
    truth = Damaged.none(glided(0))
    dusty = dust(truth, 5, per_frame=4)
    compressed, goal = mpeg(dusty, quality=5).frames, mpeg(truth, quality=5).frames
    numbers = np.flatnonzero(dusty.dust[3:9].any(axis=(1, 2))) + 3
    results, _ = clean(compressed, numbers)
    gains = [psnr(r, goal[n]) - psnr(compressed[n], goal[n]) for n, r in zip(numbers, results, strict=True)]
    assert np.mean(gains) > 5


@pytest.mark.parametrize(("sensitivity", "like"), [(0.5, 45), (1, 38)])
@pytest.mark.parametrize("shot", SHOTS)
def test_clean_shots_stay(shot, sensitivity, like):
    frames, numbers = SHOTS[shot](), [0, 5, 6, 11]
    results, masks = clean(frames, numbers, sensitivity)
    assert np.mean(np.stack(masks) > 127) < 2e-4
    assert min(psnr(*pair) for pair in zip(results, frames[numbers], strict=True)) > like


def test_dust_of_repeated_frames_is_found():
    """Film of 12 frames a second, shown at 24."""
    dusty = dust(Damaged.none(glided(0, 6)), 5, share=1).frames
    _, masks = clean(dusty, [2, 3])
    _, again = clean(dusty.repeat(2, axis=0), [4, 7])
    assert np.array_equal(again, masks)
    assert np.stack(masks).any(axis=(1, 2)).all()


def speck(frame, shade=250, place=(300, 200), radius=4, blur=0.6):
    alpha = np.zeros(frame.shape[:2], np.float32)
    cv2.circle(alpha, place, radius, 1, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), blur)[..., None]
    return np.rint(frame * (1 - alpha) + shade * alpha).astype(np.uint8)


def touched(frames, number=4, **options):
    (_,), (mask,) = clean(frames, [number], **options)
    return mask[170:230, 270:330].max() > 127


@pytest.fixture
def frames():
    return glided(0).copy()


@pytest.mark.parametrize("shade", [5, 250])
@pytest.mark.parametrize("number", [0, 4, 11])
def test_one_speck(frames, number, shade):
    """At the ends of a shot, too, where two frames on one side must do."""
    truth = frames[number].copy()
    frames[number] = speck(frames[number], shade)
    (result,), (mask,) = clean(frames, [number])
    assert psnr(result, truth) > psnr(frames[number], truth) + 15
    assert np.array_equal(result[mask == 0], frames[number][mask == 0])


def test_what_is_in_two_frames_stays(frames):
    frames[4:6] = [speck(frame) for frame in frames[4:6]]
    assert not touched(frames)


def test_what_is_blurred_stays():
    sky = glided(1).copy()
    sky[4] = speck(sky[4], radius=20, blur=2.5)
    assert not touched(sky)


def test_what_stands_out_in_a_small_part_only_stays():
    sky = glided(1).copy()
    sky[4] = speck(sky[4], sky[4, 200, 300] + 16.0, radius=14)
    sky[4] = speck(sky[4], sky[4, 200, 300] + 40.0, radius=1)
    assert not touched(sky)


def test_what_only_this_frame_has_in_sight_stays():
    """The camera is jolted to the left for a moment."""
    wall = speck(glided(0)[0], place=(144, 200), radius=5)
    jolted = [np.ascontiguousarray(wall[:, left : left + 480]) for left in (150, 150, 138, 150, 150)]
    (_,), (mask,) = clean(jolted, [2])
    assert not mask[:, :14].any()


def test_heavy_grain_stays():
    frames = grain(Damaged.none(glided(1)), 2, deviation=20).frames
    (_,), (mask,) = clean(frames, [4], sensitivity=1)
    assert not mask.any()


@pytest.mark.parametrize(("number", "goes"), [(0, False), (2, True), (4, False)])
def test_at_the_ends_of_a_shot_faint_things_stay(number, goes):
    """There, what moves away looks like dust."""
    shot = np.full((5, 240, 320, 3), 120, np.uint8)
    shot[number] = speck(shot[number], 90, place=(100, 120))
    (_,), (mask,) = clean(shot, [number])
    assert mask.any() == goes


def test_exposure_stays():
    """What is put in place of dust is as bright as what is around it."""
    wall = np.full((5, 240, 320, 3), 150, np.uint8) + np.random.default_rng(1).integers(0, 3, (240, 320, 1), np.uint8)
    wall[2] += 5
    truth = wall[2].copy()
    wall[2] = speck(wall[2], place=(100, 120))
    (result,), (mask,) = clean(wall, [2])
    assert mask.any()
    assert np.abs(result.astype(int) - truth)[mask > 250].max() <= 2


def test_what_has_a_texture_stays(frames):
    assert touched([*frames[:4], speck(frames[4], radius=14), *frames[5:]])
    stripes = np.where(np.arange(640)[None, :, None] // 4 % 2, 255, 170).repeat(480, axis=0)
    frames[4] = speck(frames[4], stripes, radius=14)
    assert not touched(frames)


def test_what_neighbours_do_not_agree_on_stays(frames):
    frames[3:6] = [speck(one, shade, radius=12) for one, shade in zip(frames[3:6], (110, 250, 200), strict=True)]
    assert not touched(frames)


def test_faint_specks_need_sensitivity(frames):
    shade = frames[4, 200, 300].astype(float) + 28
    frames[4] = speck(frames[4], shade)
    assert touched(frames, sensitivity=1)
    assert not touched(frames, sensitivity=0)


def test_flashes_and_cuts_are_left_alone(frames):
    other = glided(1)
    flash = np.clip(frames[4].astype(int) + 60, 0, 255).astype(np.uint8)
    for frame, after in ((flash, frames[5:8]), (frames[4], other[:3]), (other[0], frames[5:8])):
        result, mask = dusted(frame, list(frames[3:0:-1]), list(after), sensitivity=1)
        assert np.mean(mask > 0) < 1e-3
        assert psnr(result, frame) > 40


def test_more_than_dust_could_be_is_left_alone(frames):
    rng = np.random.default_rng(1)
    for place in rng.uniform((20, 20), (620, 460), (400, 2)).astype(int):
        frames[4] = speck(frames[4], place=place.tolist())
    (result,), (mask,) = clean(frames, [4])
    assert not mask.any()
    assert np.array_equal(result, frames[4])


def test_a_lone_neighbour_is_not_enough(frames):
    frames[4] = speck(frames[4])
    for near in ([], []), ([frames[3]], []), ([], [frames[5]]):
        result, mask = dusted(frames[4], *near, sensitivity=1)
        assert np.array_equal(result, frames[4])
        assert not mask.any()


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (17, 13)])
def test_tiny_pictures(size):
    frames = np.full((5, *size, 3), 100, np.uint8)
    frames[2, 0, 0] = 255
    result, mask = dusted(frames[2], list(frames[1::-1]), list(frames[3:]), sensitivity=1)
    assert result.shape == (*size, 3)
    assert mask.shape == size
