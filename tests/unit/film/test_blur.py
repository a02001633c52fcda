"""Kinescopes become sharper and truer, and are not spoilt where it is told wrongly how soft they are."""

from itertools import product
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restoration.film.blur import sharpened
from restoration.film.defects import Damaged, grain, kinescope, mpeg

CLIP = Path(__file__).parents[3] / "demo" / "kinescope_clean.mp4"
BLUR, HALO = 1.2, 0.5


@pytest.fixture(scope="module")
def clean():
    """Two frames of each of two shots."""
    with av.open(CLIP) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return Damaged.none(np.stack([frames[number] for number in (5, 40, 53, 88)]))


def gains(clean, damaged, blur=BLUR, halo=HALO):
    restored = [sharpened(frame, blur=blur, halo=halo) for frame in damaged.frames]
    return [
        peak_signal_noise_ratio(true, after) - peak_signal_noise_ratio(true, before)
        for true, before, after in zip(clean.frames, damaged.frames, restored, strict=True)
    ]


def similarity(clean, frames):
    pairs = zip(clean.frames, frames, strict=True)
    return np.mean([structural_similarity(true, frame, channel_axis=2) for true, frame in pairs])


@pytest.mark.parametrize("rough, least", [(False, 0.5), (True, 0.2)])
def test_kinescopes_come_nearer_to_the_truth(clean, rough, least):
    damaged = kinescope(clean)
    damaged = mpeg(grain(damaged, 2, deviation=3), quality=5) if rough else damaged
    assert min(gains(clean, damaged)) > least
    assert np.mean(gains(clean, damaged)) > 1
    restored = [sharpened(frame, blur=BLUR, halo=HALO) for frame in damaged.frames]
    assert similarity(clean, restored) > similarity(clean, damaged.frames)


@pytest.mark.parametrize("blur, halo", list(product((0.7, 1.3), (0.7, 1.3))))
def test_wrong_parameters_do_no_harm(clean, blur, halo):
    assert min(gains(clean, kinescope(clean), BLUR * blur, HALO * halo)) > -0.1


def test_noise_is_not_blown_up(clean):
    assert min(gains(clean, grain(kinescope(clean), 2, deviation=7))) > 0


def test_without_blur_nothing_changes(clean):
    np.testing.assert_array_equal(sharpened(clean.frames[0], blur=0, halo=0), clean.frames[0])


def test_colour_stays(clean):
    frame = kinescope(clean).frames[0]
    before, after = (
        cv2.cvtColor(one, cv2.COLOR_RGB2YUV)[..., 1:].astype(int)
        for one in (frame, sharpened(frame, blur=BLUR, halo=HALO))
    )
    assert np.abs(after - before).mean() < 0.5


@pytest.mark.parametrize("shape", [(37, 53, 3), (480, 11, 3)])
def test_any_size_will_do(shape):
    flat = np.full(shape, 77, np.uint8)
    np.testing.assert_array_equal(sharpened(flat, blur=BLUR, halo=HALO), flat)


def test_flat_walls_do_not_ring():
    wall = np.full((120, 160, 3), 60, np.uint8)
    wall[:, 80:] = 180
    restored = sharpened(kinescope(Damaged.none(wall[None])).frames[0], blur=BLUR, halo=HALO)
    assert np.abs(restored[:, :60].astype(int) - 60).max() <= 4
    assert np.abs(restored[:, 100:].astype(int) - 180).max() <= 4
