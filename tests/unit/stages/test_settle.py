"""Upscaled detail that stays: shimmer goes, edges and cuts stay, the same whatever the chunks."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from restoration.frames import resized
from restoration.stages.settle import REACH, settled

COUNT, STEP, SCALE = 12, 2, 2
HEIGHT, WIDTH = 64, 96


def panned():
    """A wall with detail, over which the camera pans *STEP* pixels in each frame, small and in its true size."""
    rng = np.random.default_rng(2)
    size = SCALE * (WIDTH + STEP * COUNT), SCALE * HEIGHT
    wall = sum(
        cv2.resize(rng.normal(0, scale, (rows, columns, 3)), size, interpolation=cv2.INTER_CUBIC)
        for rows, columns, scale in ((5, 10, 40), (32, 60, 15))
    )
    wall = np.clip(wall + 128, 30, 220).astype(np.uint8)
    shift = SCALE * STEP
    large = [np.ascontiguousarray(wall[:, shift * n : shift * n + SCALE * WIDTH]) for n in range(COUNT)]
    return [cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for frame in large], large


SMALL, TRUE = panned()


def shimmering():
    """What a network makes of it that invents other detail in each frame."""
    rng = np.random.default_rng(3)
    return [np.clip(frame + rng.normal(0, 12, frame.shape), 0, 255).astype(np.uint8) for frame in TRUE]


RESULTS = shimmering()


def calm(results, shots=None, *, first=0, wanted=None, stability=0.95):
    shots = shots or [0] * COUNT
    frames = zip(SMALL[first:], results[first:], shots[first:], strict=True)
    return list(settled(frames, first, wanted or range(COUNT), stability))


def warp_error(frames):
    """Change along the known motion."""
    shift = SCALE * STEP
    return np.mean([np.abs(b[:, :-shift].astype(int) - a[:, shift:]).mean() for a, b in pairwise(frames)])


def distance(frames, truth):
    return np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(frames, truth, strict=True)])


def test_shimmer_goes_and_the_truth_comes_nearer():
    steady = calm(RESULTS)
    assert warp_error(steady) < warp_error(RESULTS) / 2
    assert distance(steady, TRUE) < distance(RESULTS, TRUE) / 1.5


def test_what_is_calm_stays_sharp():
    plain = [resized(frame, TRUE[0].shape[:2]) for frame in SMALL]
    assert distance(calm(TRUE), TRUE) < distance(plain, TRUE) / 2


@pytest.mark.parametrize("length", [1, 5, 100])
def test_chunks_do_not_matter(length):
    whole = calm(RESULTS)
    for start in range(0, COUNT, length):
        wanted = range(start, min(start + length, COUNT))
        part = calm(RESULTS, first=max(0, start - REACH), wanted=wanted)
        np.testing.assert_array_equal(part, whole[start : wanted.stop])


def test_cuts_are_not_crossed():
    shots = [0] * 6 + [1] * 6
    parts = calm(RESULTS[:6] + TRUE[6:], shots)
    np.testing.assert_array_equal(parts[:6], calm(RESULTS, shots)[:6])
    alone = calm(RESULTS, list(range(COUNT)))
    np.testing.assert_array_equal(alone, RESULTS)
