"""Pictures that MPEG-2 coded come nearer to those that it was given."""

import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restoration.film.blocks import deblocked
from restoration.film.defects import Damaged, mpeg
from shots import begun

COUNT = 4


@pytest.fixture(scope="module")
def shots():
    return begun(COUNT)


@pytest.mark.parametrize("quality, least", [(5, 0.08), (10, 0.08), (20, 0.03)])
@pytest.mark.parametrize("shot", [0, 1])
def test_blocks_and_ringing_go(shots, shot, quality, least):
    coded = mpeg(Damaged.none(shots[shot]), quality=quality).frames
    for true, before in zip(shots[shot][::3], coded[::3], strict=True):
        after = deblocked(before, strength=quality)
        assert peak_signal_noise_ratio(true, after) > peak_signal_noise_ratio(true, before) + least
        similar = [structural_similarity(true, one, channel_axis=2) for one in (before, after)]
        assert similar[1] > similar[0]


def test_steps_at_blocks_become_smaller(shots):
    coded = mpeg(Damaged.none(shots[0]), quality=20).frames[0]

    def blocky(frame):
        steps = np.abs(np.diff(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(int), axis=1)).mean(axis=0)
        return steps[7::8].mean() / steps[3::8].mean()

    assert blocky(coded) > 1.15
    assert blocky(deblocked(coded, strength=20)) < 1 + (blocky(coded) - 1) / 2


def test_without_strength_nothing_changes(shots):
    np.testing.assert_array_equal(deblocked(shots[0][0], strength=0), shots[0][0])


@pytest.mark.parametrize("shape", [(37, 53, 3), (8, 8, 3), (480, 11, 3)])
def test_any_size_will_do(shape):
    flat = np.full(shape, 77, np.uint8)
    np.testing.assert_array_equal(deblocked(flat, strength=10), flat)
