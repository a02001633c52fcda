"""Networks' chroma under the original's luma."""

import cv2
import numpy as np
import pytest

from media_factory import pictures
from restoration.stages import colorize
from restoration.stages.colorize import Colorizer

ORANGE, TEAL = (190, 120, 60), (60, 130, 150)


@pytest.fixture
def colorizer(monkeypatch):
    """Call it with options: a colorizer whose networks paint everything orange, the second one teal."""
    monkeypatch.setattr(colorize, "load_colorizer", lambda path, sha256: path)
    monkeypatch.setattr(colorize, "painter", lambda colour, **options: lambda frames, exact: painted(frames, colour))

    def build(*colours, **options):
        return Colorizer(dict.fromkeys(colours, "hash"), render_factor=21, **options)

    return build


def painted(frames, colour):
    return np.broadcast_to(np.uint8(colour), frames.shape)


def chroma(picture):
    return cv2.cvtColor(picture, cv2.COLOR_RGB2YUV)[..., 1:].astype(int)


def chroma_of(colour):
    return chroma(np.uint8([[colour]]))[0, 0]


FRAMES = pictures(2, 40, 30) // 4 + 96


def test_chroma_is_the_networks_and_luma_the_frames(colorizer):
    restored = colorizer(ORANGE).process(FRAMES)
    for frame, picture in zip(FRAMES, restored, strict=True):
        luma, before = (cv2.cvtColor(image, cv2.COLOR_RGB2YUV)[..., 0].astype(int) for image in (picture, frame))
        assert np.abs(luma - before).max() <= 1
        assert np.abs(np.median(chroma(picture), axis=(0, 1)) - chroma_of(ORANGE)).max() <= 1


@pytest.mark.parametrize("weight", [0, 0.25, 1])
def test_two_networks_are_mixed_by_weight(colorizer, weight):
    (picture,) = colorizer(ORANGE, TEAL, mix_weight=weight).process(FRAMES[:1])
    expected = weight * chroma_of(TEAL) + (1 - weight) * chroma_of(ORANGE)
    assert np.abs(np.median(chroma(picture), axis=(0, 1)) - expected).max() <= 1.5


@pytest.mark.parametrize("strength", [0, 0.5])
def test_strength_keeps_some_of_the_frames_own_chroma(colorizer, strength):
    frame = np.full((1, 8, 8, 3), TEAL, np.uint8)
    (picture,) = colorizer(ORANGE, strength=strength).process(frame)
    expected = strength * chroma_of(ORANGE) + (1 - strength) * chroma_of(TEAL)
    assert np.abs(np.median(chroma(picture), axis=(0, 1)) - expected).max() <= 1.5
