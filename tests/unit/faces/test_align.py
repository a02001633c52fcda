"""Faces brought to their common place: exact, calm, finite, and back to where they came from."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from restoration.faces.align import OUTSIDE, TEMPLATE, aligned, alignment, scale_of, source_edge, warped, way_back

LANDMARKS = np.array([[205, 102], [247, 104], [225, 129], [202, 139], [245, 142]], np.float32)
"""Of the astronaut; looked at."""


def landmarks(edge, x, y, degrees=0.0):
    """Those of a face whose aligned crop is *edge* pixels wide in the frame, centred at x, y and turned."""
    turn = np.deg2rad(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return ((TEMPLATE - 256) @ rotation.T * edge / 512 + [x, y]).astype(np.float32)


def ramps(width, height, scale=1.0):
    """x and y of each pixel's centre, in pixels of a frame that is *scale* times smaller: float32 (h, w, 3)."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / scale - 0.5, (np.arange(height) + 0.5) / scale - 0.5)
    return np.stack([x, y, x + y], axis=-1).astype(np.float32)


def test_the_template_looks_straight_ahead():
    """From the middle of the crop, where networks have learned that faces are."""
    left, right, nose, *mouth = TEMPLATE
    np.testing.assert_allclose([(left + right)[0] / 2, nose[0], (mouth[0] + mouth[1])[0] / 2], 256, atol=1.5)
    assert left[1] == pytest.approx(right[1], abs=1) and mouth[0][1] == pytest.approx(mouth[1][1], abs=1)
    assert right[1] < 256 < nose[1] < mouth[1][1] < 400


@pytest.mark.parametrize("degrees", [0, 30, -100, 180])
@pytest.mark.parametrize("edge", [24, 512, 2000])
def test_a_face_like_the_template_is_brought_onto_it(edge, degrees):
    marks = landmarks(edge, 333, 222, degrees)
    matrix = alignment(marks)
    assert scale_of(matrix) == pytest.approx(512 / edge, rel=1e-3)
    np.testing.assert_allclose(marks @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=0.1)


def test_the_same_landmarks_give_the_same_matrix():
    first = alignment(LANDMARKS)
    alignment(landmarks(60, 30, 30, 10))
    np.testing.assert_array_equal(alignment(LANDMARKS), first)


def test_calm_landmarks_give_calm_faces():
    """Those of a real face, which are not the template's: none may be left out in one frame and counted in the next."""
    rng = np.random.default_rng(4)
    odd = landmarks(170, 200, 55, 8) + rng.uniform(-2, 2, (5, 2)).astype(np.float32)
    way = np.linspace(0, 1, 40)[:, None] * [15.0, 4.0] + 0.3 * np.sin(np.arange(40) / 6)[:, None]
    corners = np.array([[0, 0, 1], [512, 0, 1], [0, 512, 1], [512, 512, 1]]).T
    places = []
    for shift in way:
        shaken = odd + shift + rng.normal(0, 0.01, (5, 2))
        places.append(
            (cv2.invertAffineTransform(alignment(shaken.astype(np.float32))) @ corners - shift[:, None]).ravel()
        )
    assert np.abs(np.diff(places, axis=0)).max() < 0.2


def test_landmarks_in_one_point_are_no_reason_to_stop():
    matrix = alignment(np.full((5, 2), 40, np.float32))
    assert np.isfinite(matrix).all() and scale_of(matrix) == 1


def profile(eyes):
    """The astronaut turned away, with the eyes at *eyes* of their distance, and all else drawn together as much."""
    marks = LANDMARKS.copy()
    marks[:, 0] = marks[2, 0] + (marks[:, 0] - marks[2, 0]) * eyes
    return marks


def eyes_in_one_place():
    marks = LANDMARKS.copy()
    marks[1] = marks[0]
    return marks


@pytest.mark.parametrize(
    "marks",
    [*map(profile, (0.5, 0.1, 0.01, 0)), eyes_in_one_place(), LANDMARKS * [0, 1]],
    ids=["half", "tenth", "hundredth", "one line", "eyes in one place", "one line at the border"],
)
def test_profiles_are_aligned_somehow(marks):
    matrix = alignment(marks.astype(np.float32))
    assert np.isfinite(matrix).all()
    assert 0.5 < scale_of(matrix) < 20
    assert aligned(astronaut(), matrix).shape == (512, 512, 3)


def test_what_is_in_place_stays_as_it_is_and_beyond_the_border_is_gray():
    matrix = alignment(TEMPLATE + np.float32(100))
    frame = np.random.default_rng(1).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    crop = aligned(frame, matrix)
    assert crop.dtype == np.uint8
    assert np.abs(crop[:300, :300].astype(int) - frame[100:, 100:]).max() <= 1
    assert (crop[301:] == OUTSIDE).all() and (crop[:, 301:] == OUTSIDE).all()


@pytest.mark.parametrize("edge", [40, 160, 500, 1500])
def test_crops_are_taken_from_where_the_landmarks_are(edge):
    """What shrinks is averaged first, which must not move it by a part of a pixel."""
    marks = landmarks(edge, 901, 803)
    crop = warped(ramps(1800, 1600), alignment(marks), (512, 512))
    places = [crop[round(y), round(x), :2] for x, y in TEMPLATE.tolist()]
    rounding = (np.rint(TEMPLATE) - TEMPLATE) * edge / 512
    np.testing.assert_allclose(places, marks + rounding, atol=0.02)


@pytest.mark.parametrize("scale", [1, 1.5, 2, 4])
@pytest.mark.parametrize("edge", [40, 160, 500, 1500])
def test_crops_return_to_where_they_were_taken_from(edge, scale):
    """Without a shift: half a pixel of the result is (scale - 1) / 2 in each direction."""
    matrix = alignment(landmarks(edge, 230, 210, 20))
    # The frame goes on far beyond what is compared, so that no crop reaches over its border.
    begin = np.array([[1, 0, -1000], [0, 1, -1000], [0, 0, 1]])
    crop = warped(ramps(2500, 2500) - np.float32([1000, 1000, 2000]), matrix @ begin, (512, 512))
    size = round(460 * scale), round(420 * scale)
    back = way_back(matrix, scale)
    inside = warped(np.pad(np.ones((480, 480), np.float32), 16), back, size) == 1
    assert inside.sum() > 500 * scale
    error = (warped(crop, back, size) - ramps(*size, scale))[inside]
    assert np.abs(error).max() < 0.05


def test_what_shrinks_is_averaged():
    """A pattern of single pixels would crawl if it was sampled."""
    checkers = np.kron([[[0], [255]], [[255], [0]]], np.ones((1, 1, 3))).astype(np.uint8)
    frame = np.tile(checkers, (900, 900, 1))
    crop = aligned(frame, alignment(landmarks(1600, 900, 900)))
    assert np.abs(crop - 127.5).max() < 5


def test_the_edge_of_a_track_is_the_median_in_steps_and_within_limits():
    def edge(*edges):
        return source_edge([alignment(landmarks(edge, 100, 100)) for edge in edges])

    assert edge(100) == 100 and edge(101.5) == 100 and edge(102.5) == 104
    assert edge(60, 60, 400) == 60 and edge(60, 400, 400, 60, 60) == 60
    assert edge(3) == 16 and edge(2000) == 512
    assert type(edge(33)) is int


def test_scale_of_a_turned_map():
    assert scale_of(cv2.getRotationMatrix2D((5, 5), 77, 2.5)) == pytest.approx(2.5)
