"""Scratches are taken away, what lies beneath and beside them stays."""

import cv2
import numpy as np
import pytest
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restoration.film.defects import Damaged, grain, scratches, weave
from restoration.film.filling import filled
from restoration.film.scratches import KNOTS, Line, candidates, confirmed
from shots import begun

COUNT = 10


@pytest.fixture(scope="module")
def shots():
    return begun(COUNT)


@pytest.mark.parametrize("contrast, rough", [(30, True), (60, False)])
@pytest.mark.parametrize("shot", [0, 1])
def test_simulated_scratches_go(shots, shot, contrast, rough):
    truth = Damaged.none(shots[shot])
    truth = grain(truth, 1) if rough else truth
    damaged = scratches(truth, 2, contrast=contrast)
    truth, damaged = (weave(one, 3) if rough else one for one in (truth, damaged))
    lines = confirmed([candidates(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)) for one in damaged.frames], 640)
    for number in (0, COUNT - 1):
        true, hurt = truth.frames[number], damaged.frames[number]
        restored, mask = filled(hurt, lines[number])
        assert peak_signal_noise_ratio(true, restored) > peak_signal_noise_ratio(true, hurt) + 3
        before, after = (structural_similarity(true, one, channel_axis=2) for one in (hurt, restored))
        assert 1 - after < (1 - before) / 2
        covered = damaged.scratches[number]
        assert (mask[covered] > 0).mean() > 0.85
        assert covered[mask > 0].mean() > 0.5
        np.testing.assert_array_equal(restored[mask == 0], hurt[mask == 0])


def test_without_lines_nothing_changes(shots):
    restored, mask = filled(shots[0][0], [])
    np.testing.assert_array_equal(restored, shots[0][0])
    assert mask.dtype == np.uint8 and not mask.any()


def opaque(shade, place=200, width=3):
    """A photograph with a line through which nothing is seen."""
    truth = cv2.resize(data.chelsea(), (640, 480), interpolation=cv2.INTER_AREA)
    hurt = truth.copy()
    hurt[:, place - width // 2 : place + width // 2 + 1] = shade
    contrast = float(shade) - truth[:, place].mean()
    return truth, hurt, Line((float(place),) * KNOTS, float(width), contrast, 1.0)


@pytest.mark.parametrize("shade", [0, 20, 235, 255])
def test_opaque_scratches_are_interpolated(shade):
    truth, hurt, line = opaque(shade)
    restored, mask = filled(hurt, [line])
    assert mask[:, 199:202].mean() > 0.9 * 255
    error = np.abs(restored.astype(int) - truth)[:, 199:202]
    assert error.mean() < 14


def test_texture_beneath_is_kept():
    truth = cv2.resize(data.chelsea(), (640, 480), interpolation=cv2.INTER_AREA)
    hurt = truth.copy()
    hurt[:, 199:202] += 35
    restored, _ = filled(hurt, [Line((200.0,) * KNOTS, 3.0, 35.0, 1.0)])
    true, kept = (one[:, 200].astype(float).ravel() for one in (truth, restored))
    assert np.corrcoef(np.diff(true), np.diff(kept))[0, 1] > 0.95
    assert np.abs(true - kept).mean() < 5


def test_what_was_cut_off_is_interpolated():
    truth = cv2.resize(data.chelsea(), (640, 480), interpolation=cv2.INTER_AREA) // 2 + 110
    hurt = truth.copy()
    hurt[:, 199:202] = np.minimum(truth[:, 199:202].astype(int) + 90, 255)
    restored, _ = filled(hurt, [Line((200.0,) * KNOTS, 3.0, 90.0, 1.0)])
    lost = (hurt == 255) & (truth < 250)
    assert lost.mean() > 0.001
    error = np.abs(restored.astype(int) - truth)[lost].mean()
    assert error < 6


def test_where_a_scratch_ends_nothing_is_taken_off():
    truth = cv2.resize(data.chelsea(), (640, 480), interpolation=cv2.INTER_AREA)
    hurt = truth.copy()
    hurt[:320, 199:202] += 50
    restored, _ = filled(hurt, [Line((200.0,) * KNOTS, 3.0, 50.0, 0.7)])
    error = np.abs(restored.astype(int) - truth)[:, 199:202]
    assert error[:280].mean() < 5
    assert error[400:].mean() < 4


def test_at_the_edge_of_a_picture():
    frame = np.full((120, 160, 3), 100, np.uint8)
    frame[:, 0:3] = 140
    restored, mask = filled(frame, [Line((1.0,) * KNOTS, 3.0, 40.0, 1.0)])
    assert restored.shape == frame.shape
    assert not mask[:, 20:].any()
