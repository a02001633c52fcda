"""Calm colours: flicker gone, luma and cuts untouched, the same whatever the chunks."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from restoration.stages.chroma import with_chroma
from restoration.stages.stabilize import REACH, stabilized

COUNT, STEP, HEIGHT, WIDTH = 30, 3, 96, 128


def panned(seed=0):
    """A camera pans over large and small blobs of colour, *STEP* pixels to the right in each frame."""
    rng = np.random.default_rng(seed)
    width = WIDTH + STEP * COUNT
    wall = sum(
        cv2.resize(rng.normal(0, scale, (rows, columns, 3)), (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
        for rows, columns, scale in ((4, 9, 40), (24, 54, 12))
    )
    wall = np.clip(wall + 128, 40, 210).astype(np.uint8)
    return [np.ascontiguousarray(wall[:, STEP * number : STEP * number + WIDTH]) for number in range(COUNT)]


def chroma(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)[..., 1:].astype(np.float32)


def luma(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)[..., 0].astype(int)


def flickering(frames, seed=1):
    rng = np.random.default_rng(seed)

    def shaken(frame):
        blobs = cv2.resize(
            rng.normal(0, 10, (3, 4, 2)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
        )
        return with_chroma(frame, np.clip(chroma(frame) + blobs, 0, 255).astype(np.uint8))

    return [shaken(frame) for frame in frames]


def calm(frames, shots=None, *, first=0, wanted=None, strength=0.95, colorized=None):
    shots = shots or [0] * COUNT
    colorized = colorized or [True] * COUNT
    return list(
        stabilized(zip(frames, shots[first:], strict=False), first, wanted or range(COUNT), strength, colorized)
    )


def warp_error(frames):
    """Change of chroma along the known motion."""
    pairs = pairwise(frames)
    return np.mean([np.abs(chroma(b)[:, :-STEP] - chroma(a)[:, STEP:]).mean() for a, b in pairs])


def distance(frames, truth):
    return np.mean([np.abs(chroma(a) - chroma(b)).mean() for a, b in zip(frames, truth, strict=True)])


def test_flicker_goes_and_colour_comes_nearer_to_the_truth():
    clean = panned()
    flicker = flickering(clean)
    steady = calm(flicker)
    assert warp_error(flicker) > 10 * warp_error(steady)
    assert distance(flicker, clean) > 2.5 * distance(steady, clean)
    assert max(np.abs(luma(a) - luma(b)).max() for a, b in zip(steady, clean, strict=True)) <= 1


def test_what_is_calm_stays():
    clean = panned()
    assert distance(calm(clean), clean) < 1.2


@pytest.mark.parametrize("length", [1, 7, 100])
def test_chunks_do_not_matter(length):
    frames = flickering(panned())
    whole = calm(frames)
    for start in range(0, COUNT, length):
        wanted = range(start, min(start + length, COUNT))
        first, end = max(0, start - REACH), min(COUNT, wanted[-1] + 1 + REACH)
        # A chunk that lies farther away may be there or not.
        for far in (0, 3):
            begin = max(0, first - far)
            np.testing.assert_array_equal(
                calm(frames[begin:end], first=begin, wanted=wanted), whole[wanted[0] : wanted[-1] + 1]
            )


def test_no_colour_crosses_a_cut():
    one, two = flickering(panned(0)), flickering(panned(5), seed=2)
    frames, shots = one[:15] + two[15:], [0] * 15 + [1] * 15
    together = calm(frames, shots)
    np.testing.assert_array_equal(together[:15], calm(frames[:15], shots, wanted=range(15)))
    np.testing.assert_array_equal(together[15:], calm(frames[15:], shots, first=15, wanted=range(15, 30)))


def test_what_was_not_colorized_passes_untouched():
    frames = flickering(panned())
    colorized = [number < 10 for number in range(COUNT)]
    result = calm(frames, [0] * 10 + [1] * 20, colorized=colorized)
    np.testing.assert_array_equal(result[10:], frames[10:])
    assert np.abs(result[5].astype(int) - frames[5]).max() > 3


@pytest.mark.parametrize("size", [(1, 1), (13, 17)])
def test_tiny_pictures(size):
    frames = [np.full((*size, 3), (100 + number % 2 * 20, 100, 90), np.uint8) for number in range(COUNT)]
    assert np.stack(calm(frames)).shape == (COUNT, *size, 3)
