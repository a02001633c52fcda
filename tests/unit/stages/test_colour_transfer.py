"""Statistics of reference pictures given to others."""

import cv2
import numpy as np
import pytest
from PIL import Image

from media_factory import pictures
from restoration.errors import RestorationError
from restoration.stages.colour_transfer import Statistics, statistics_of, transfer, transferred

BLUE, RED = (40, 70, 160), (170, 60, 50)


def counted(*frames):
    statistics = Statistics()
    for frame in frames:
        statistics.see(frame)
    return statistics


def tinted(frame, colour, strength=0.5):
    return cv2.addWeighted(frame, 1 - strength, np.full_like(frame, colour), strength, 0)


def after(frame, matrix):
    """Mean and covariance of chroma after a transfer."""
    chroma = transferred(frame, matrix).reshape(-1, 2)
    return chroma.mean(axis=0), np.cov(chroma.T)


def test_the_distribution_becomes_that_of_the_reference():
    frame, reference = pictures(2, 160, 128)
    reference = tinted(reference[::-1], BLUE, 0.3)
    wanted = counted(reference)
    mean, covariance = after(frame, transfer(counted(frame), wanted))
    np.testing.assert_allclose(mean, wanted.mean[1:], atol=0.1)
    np.testing.assert_allclose(covariance, wanted.covariance[1:, 1:], rtol=0.05, atol=8)


def test_the_same_distribution_changes_nothing():
    (frame,) = pictures(1, 160, 128)
    matrix = transfer(counted(frame), counted(frame))
    np.testing.assert_allclose(matrix, np.eye(3, 4)[1:], atol=1e-9)


@pytest.mark.parametrize("strength", [0, 0.25])
def test_strength_is_the_share_of_the_way(strength):
    frame, reference = pictures(1, 64, 64)[0], np.full((64, 64, 3), RED, np.uint8)
    source, wanted = counted(frame), counted(reference)
    mean, _ = after(frame, transfer(source, wanted, strength))
    np.testing.assert_allclose(mean, (1 - strength) * source.mean[1:] + strength * wanted.mean[1:], atol=0.1)


def test_gray_pictures_are_not_blown_up():
    """Their chroma is all noise."""
    gray = pictures(1, 160, 128, gray=True)[0]
    rng = np.random.default_rng(0)
    noisy = np.clip(gray + rng.integers(-1, 2, gray.shape), 0, 255).astype(np.uint8)
    matrix = transfer(counted(noisy), counted(pictures(1, 160, 128)[0]))
    chroma = transferred(noisy, matrix)
    smooth = transferred(gray, matrix)
    assert np.abs(chroma - smooth).mean() < 8


def test_pictures_weigh_the_same_whatever_their_size():
    small, large = np.full((20, 20, 3), RED, np.uint8), np.full((200, 100, 3), BLUE, np.uint8)
    middle = (counted(small).mean + counted(large).mean) / 2
    np.testing.assert_allclose(counted(small, large).mean, middle)


def test_black_borders_of_references_do_not_count(tmp_path):
    (frame,) = pictures(1, 160, 128)
    bordered = np.zeros((128, 220, 3), np.uint8)
    bordered[:, 30:190] = frame
    Image.fromarray(frame).save(tmp_path / "plain.png")
    Image.fromarray(bordered).save(tmp_path / "bordered.png")
    plain, cut = statistics_of([tmp_path / "plain.png"]), statistics_of([tmp_path / "bordered.png"])
    np.testing.assert_allclose(cut.mean, plain.mean, atol=1.5)


def test_a_reference_that_is_no_image_is_named(tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(RestorationError, match=r"notes\.png"):
        statistics_of([tmp_path / "notes.png"])
