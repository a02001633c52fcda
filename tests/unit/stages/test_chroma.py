"""New chroma under the old luma."""

import cv2
import numpy as np

from media_factory import pictures
from restoration.stages.chroma import with_chroma


def luma(frame):
    return cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)[..., 0].astype(int)


def test_luma_stays_whatever_the_chroma():
    rng = np.random.default_rng(3)
    for frame in (pictures(1, gray=True)[0], rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)):
        coloured = with_chroma(frame, rng.integers(0, 256, (48, 64, 2), dtype=np.uint8))
        assert np.abs(luma(coloured) - luma(frame)).max() <= 1
        assert np.ptp(coloured, axis=-1).mean() > 20


def test_what_fits_is_what_opencv_makes_of_it():
    frame = np.full((8, 8, 3), 128, np.uint8)
    chroma = np.full((8, 8, 2), (120, 140), np.uint8)
    np.testing.assert_array_equal(with_chroma(frame, chroma), with_chroma(frame, chroma, in_gamut=False))
    white = np.full((8, 8, 3), 250, np.uint8)
    assert np.abs(luma(with_chroma(white, chroma, in_gamut=False)) - 250).max() > 1


def test_its_own_chroma_changes_nothing():
    frame = pictures(1)[0]
    again = with_chroma(frame, cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)[..., 1:])
    assert np.abs(again.astype(int) - frame).max() <= 2
