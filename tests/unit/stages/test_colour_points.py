"""Colours of single places: they follow the motion, stop at edges, and do not reach beyond."""

import cv2
import numpy as np
import pytest

from restoration.motion import Seen
from restoration.stages.colour_points import FADE, Point, Track, follow, geodesic, steered, track, yuv_of

HEIGHT, WIDTH, SPEED = 96, 160, 2
RED = "#b03030"


def texture(rng, low, high, height, width):
    return cv2.resize(rng.uniform(low, high, (height // 4, width // 4)), (width, height), interpolation=cv2.INTER_CUBIC)


def scene(count=20, speed=SPEED):
    """A bright, textured square on dark, textured ground moves to the right; it begins at x 20, y 30 and is 36 wide."""
    rng = np.random.default_rng(0)
    ground, square = texture(rng, 30, 60, HEIGHT, WIDTH), texture(rng, 150, 190, 36, 36)
    frames = np.repeat(ground[None], count, axis=0)
    for number, frame in enumerate(frames):
        place = frame[30:66, 20 + speed * number : 56 + speed * number]
        place[:] = square[:, : place.shape[1]]
    return np.repeat(np.rint(frames)[..., None], 3, axis=-1).astype(np.uint8)


def found(frames, point, *, backwards=False):
    seen = [Seen(frame, number, 0) for number, frame in enumerate(frames)]
    ways = follow(seen[::-1] if backwards else seen, {7: point})
    return {number: (x, y) for id, number, x, y in ways if id == 7}


def gray(frame):
    return np.full((*frame.shape[:2], 2), 128, np.float32)


def test_a_place_is_followed_in_both_directions():
    point = Point(10, 58, 48, RED)
    for backwards, last in ((False, 19), (True, 0)):
        places = found(scene(), point, backwards=backwards)
        assert sorted(places) == (list(range(10)) if backwards else list(range(11, 20)))
        assert places[last] == pytest.approx((58 + SPEED * (last - 10), 48), abs=1.5)


def test_places_are_in_pixels_of_the_frame():
    large = [np.kron(frame, np.ones((4, 4, 1), np.uint8)) for frame in scene(4)]
    assert found(large, Point(0, 160, 192, RED))[3] == pytest.approx((160 + 4 * SPEED * 3, 192), abs=6)


def test_what_covers_a_place_does_not_take_its_colour():
    places = found(scene(), Point(0, 75, 48, RED))
    # The square's right border arrives in frame 10.
    assert max(places) >= 9
    assert all(x >= 56 + SPEED * number - 2 for number, (x, _) in places.items())


def test_a_place_that_leaves_the_picture_is_lost():
    # Its right border does so in frame 14.
    assert 12 <= max(found(scene(20, speed=8), Point(0, 48, 48, RED))) <= 16


def test_a_track_fades_where_it_is_lost_within_the_shot():
    point = Point(5, 1, 2, RED)
    ways = {number: (1.0, 2.0) for number in range(3, 40) if number != 5}
    one = track(point, ways, (0, 39), WIDTH)
    weights = [weight for _, _, weight in one.places]
    assert one.first == 3 and len(weights) == 37
    assert weights[0] == pytest.approx(1 / FADE, abs=0.001)
    assert weights[2] == 1 and weights[-1] == 1
    lost = track(point, dict.fromkeys(range(30), (1.0, 2.0)), (0, 39), WIDTH)
    assert [lost.places[0][2], lost.places[29][2]] == [1, pytest.approx(1 / FADE, abs=0.001)]
    assert lost.at(29) and lost.at(30) is None


def test_colour_stops_at_edges():
    (frame,) = scene(1)
    one = Track(0, [[38, 48, 1]], yuv_of(RED), 60)
    chroma = steered(frame, gray(frame), [one], 0)
    inside, outside = chroma[34:62, 24:52], np.delete(chroma, range(18, 58), axis=1)
    target = np.array(yuv_of(RED)[1:])
    assert np.abs(inside - target).mean() < 12
    assert np.abs(outside - 128).max() < 3


def test_dark_places_get_the_hue_but_less_chroma():
    dark = np.full((40, 60, 3), 30, np.uint8)
    one = Track(0, [[30, 20, 1]], yuv_of(RED), 15)
    at_place = steered(dark, gray(dark), [one], 0)[20, 30] - 128
    whole = np.array(yuv_of(RED)[1:]) - 128
    np.testing.assert_allclose(at_place, whole * 30 / yuv_of(RED)[0], atol=1)


def test_the_nearer_point_wins_and_frames_without_points_stay():
    (frame,) = scene(1)
    red, blue = (Track(0, [[x, 48, 1]], yuv_of(colour), 40) for x, colour in ((26, "#c02020"), (50, "#2020c0")))
    chroma = steered(frame, gray(frame), [red, blue], 0)
    assert chroma[48, 27, 1] > 140 > 128 > chroma[48, 49, 1]
    np.testing.assert_array_equal(steered(frame, gray(frame), [red, blue], 1), gray(frame))


def test_ways_lead_around_obstacles():
    luma = np.full((21, 31), 100, np.float32)
    luma[:16, 15] = 255
    free = geodesic(np.full_like(luma, 100), [(5, 5)], np.array([[30.0]], np.float32))[0]
    walled = geodesic(luma, [(5, 5)], np.array([[300.0]], np.float32))[0]
    assert free[5, 25] == pytest.approx(20)
    assert 25 < walled[5, 25] < 40
    assert walled[5, 14] == pytest.approx(9)
