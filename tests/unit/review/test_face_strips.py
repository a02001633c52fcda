"""Faces close up: the same square of source and result, the largest faces, at the middle of their tracks."""

import cv2
import numpy as np
import pytest

from page_factory import faces_of, restored_clip
from restoration.review import face_strips as module
from restoration.review.face_strips import SIDE, close_up, face_strips


def test_a_close_up_is_of_the_same_place_at_any_size():
    small = np.zeros((60, 80, 3), np.uint8)
    small[20:30, 50:60] = 255
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    box = (50, 20, 60, 30)
    for picture in (small, large):
        view = close_up(picture, box, small)
        assert view.shape == (SIDE, SIDE, 3)
        bright = np.argwhere(view[..., 0] > 128)
        # A face fills the middle 10 of 17 parts.
        assert bright.min(axis=0) == pytest.approx(SIDE * 3.5 / 17, abs=6)
        assert bright.max(axis=0) == pytest.approx(SIDE * 13.5 / 17, abs=6)


@pytest.mark.parametrize("box", [(-5, -5, 8, 12), (70, 50, 85, 66), (0, 0, 80, 60), (-20, -20, 120, 90)])
def test_at_the_border_and_larger_than_the_picture(box):
    assert close_up(np.zeros((60, 80, 3), np.uint8), box, np.zeros((60, 80, 3), np.uint8)).shape == (SIDE, SIDE, 3)


def test_strips_show_the_middle_of_each_track(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "picture_data", lambda picture: picture)
    source, description, timeline, restored, _ = restored_clip(tmp_path)
    record = faces_of(timeline)
    strips = face_strips(source, description, timeline, restored, record)
    assert [(strip["face"], strip["frame"], strip["decision"]) for strip in strips] == [
        (0, 6, "restored"), (1, 29, "left alone: too unlike the source"),
    ]  # fmt: skip
    for strip in strips:
        # The result of the test clip is the negative of its source.
        small = [cv2.resize(strip[side], (16, 16), interpolation=cv2.INTER_AREA) for side in ("before", "after")]
        assert np.abs(small[0].astype(int) + small[1] - 255).mean() < 12
    monkeypatch.setattr(module, "MOST_FACES", 1)
    assert [strip["face"] for strip in face_strips(source, description, timeline, restored, record)] == [1]
