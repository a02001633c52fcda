"""What colorizers are shown, and what becomes of their answers."""

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from media_factory import pictures
from restoration.engines.engine import Engine
from restoration.engines.start import start
from restoration.stages.painters import DDCOLOR_SIDE, ByDDColor


class Answer(nn.Module):
    """Remembers what it was shown; answers with a and b."""

    def __init__(self, a, b):
        super().__init__()
        self.colour = torch.tensor([a, b], dtype=torch.float32)[:, None, None]

    def forward(self, shown):
        self.shown = shown
        return self.colour.expand(len(shown), 2, *shown.shape[2:])


def engine(network):
    return Engine(start(network, precision="fp32", device="cpu"))


def lab(picture):
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


def test_ddcolor_sees_a_gray_square_and_answers_beside_the_lightness():
    network, frames = Answer(15, -20), pictures(2, 48, 36) // 2 + 64
    painted = ByDDColor(engine(network))(frames)
    assert network.shown.shape == (2, 3, DDCOLOR_SIDE, DDCOLOR_SIDE)
    assert np.ptp(network.shown.numpy(), axis=1).max() < 1e-3
    for frame, picture, shown in zip(frames, painted, network.shown, strict=True):
        square = cv2.resize(frame.astype(np.float32) / 255, (DDCOLOR_SIDE, DDCOLOR_SIDE))
        gray = shown.permute(1, 2, 0).numpy()
        np.testing.assert_allclose(lab(gray * 255)[..., 0], lab(square * 255)[..., 0], atol=0.3)
        np.testing.assert_allclose(lab(picture)[..., 0], lab(frame)[..., 0], atol=0.7)
        np.testing.assert_allclose(np.median(lab(picture)[..., 1:], axis=(0, 1)), [15, -20], atol=0.5)


def test_ddcolor_answers_are_interpolated_not_repeated():
    class Ramp(nn.Module):
        def forward(self, shown):
            return torch.linspace(-40, 40, DDCOLOR_SIDE).expand(len(shown), 2, DDCOLOR_SIDE, DDCOLOR_SIDE)

    frame = np.full((4, 2000, 3), 128, np.uint8)
    (painted,) = ByDDColor(engine(Ramp()))(frame[None])
    changes = np.abs(np.diff(painted.astype(int), axis=1)).max(axis=(0, 2))
    assert changes.max() <= 2


def test_an_answer_that_is_no_number_is_an_error():
    with pytest.raises(FloatingPointError, match=r"\[0, 1\]"):
        ByDDColor(engine(Answer(np.nan, 0)))(pictures(2, 8, 8))
