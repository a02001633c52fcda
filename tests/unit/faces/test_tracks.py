"""Faces through their shot: linked, bridged, calmed, chosen, on faces that are known to the pixel."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from restoration.faces.align import TEMPLATE
from restoration.faces.detect import Face
from restoration.faces.tracks import Track, calmed, chosen, follow, jitter, overlap

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
SIZE = (400, 300)


def face(x, y=100.0, height=40.0, score=0.99):
    """A square one, centred at x, y; its eyes are 0.37 of its height apart, as in life."""
    landmarks = (TEMPLATE - 256) * height / 340 + [x, y]
    half = height / 2
    return Face((x - half, y - half, x + half, y + half), score, landmarks.astype(np.float32))


def tracks_of(found, last, *, shots=None, gap=5, smoothing=0.0):
    return follow(found, shots or [(0, last)], gap=gap, smoothing=smoothing)


def still(numbers, x=100.0, y=100.0, height=40.0):
    """A face that stays where it is, in these frames."""
    (track,) = tracks_of({number: [face(x, y, height)] for number in numbers}, max(numbers))
    return track


def spans(tracks):
    return [(track.first, track.last) for track in tracks]


@pytest.mark.parametrize(
    ("other", "share"),
    [
        ((0, 0, 10, 20), 1),
        ((5, 0, 15, 20), 1 / 3),
        ((0, 10, 10, 30), 1 / 3),
        ((2, 5, 8, 15), 0.3),
        ((10, 0, 20, 20), 0),
        ((11, 21, 20, 30), 0),
        ((3, 3, 3, 3), 0),
    ],
)
def test_overlap_is_intersection_over_union(other, share):
    assert overlap((0, 0, 10, 20), other) == overlap(other, (0, 0, 10, 20)) == pytest.approx(share)


def test_boxes_without_area_do_not_overlap():
    assert overlap((3, 3, 3, 3), (3, 3, 3, 3)) == 0


def test_a_moving_face_is_one_track():
    found = {number: [face(50 + 10 * number, 100 + number, score=0.9 + number / 1000)] for number in range(3, 9)}
    (track,) = tracks_of(found, 20)
    assert (track.shot, track.first, track.last) == (0, 3, 8)
    assert track.scores == [round(0.9 + number / 1000, 4) for number in range(3, 9)]
    for number in range(3, 9):
        assert track.box(number) == list(found[number][0].box)
        np.testing.assert_allclose(track.marks(number), found[number][0].landmarks, atol=6e-4)
        assert track.marks(number).shape == (5, 2) and track.marks(number).dtype == np.float32
    assert [track.is_in(number) for number in (2, 3, 8, 9)] == [False, True, True, False]
    # It goes through JSON to other jobs.
    there = Track(**json.loads(json.dumps(asdict(track))))
    assert asdict(there) == asdict(track) | {"jitter": list(track.jitter), "fades": [True, True]}


@pytest.mark.parametrize(("step", "count"), [(21, 1), (22, 2)])
def test_faces_that_overlap_enough_are_the_same(step, count):
    """A step of 21.5 pixels leaves an overlap of 0.3."""
    found = {number: [face(100 + (0 if number < 4 else step))] for number in range(8)}
    assert len(tracks_of(found, 7)) == count


def test_what_overlaps_most_goes_together_first():
    """The first face leaves; the second goes to where both overlap it."""
    found = {number: [face(100), face(110)] for number in range(3)}
    found |= {number: [face(107)] for number in range(3, 6)}
    first, second = tracks_of(found, 5)
    assert spans([first, second]) == [(0, 2), (0, 5)]
    assert second.box(0)[0] == 90 and second.box(5)[0] == 87


def test_a_frames_faces_belong_to_different_tracks():
    found = {number: [face(100 + number), face(104 + number), face(112 + number)] for number in range(4)}
    tracks = tracks_of(found, 3)
    assert sorted(track.box(3)[0] for track in tracks) == [83, 87, 95]


def test_a_face_that_comes_close_does_not_take_the_place_of_another():
    found = {number: [face(100)] for number in range(3)} | {number: [face(102), face(112)] for number in range(3, 6)}
    old, new = tracks_of(found, 5)
    assert spans([old, new]) == [(0, 5), (3, 5)] and (old.box(5)[0], new.box(5)[0]) == (82, 92)


def test_no_track_goes_over_a_cut():
    found = {number: [face(100)] for number in range(10)}
    tracks = tracks_of(found, 9, shots=[(0, 3), (4, 9)])
    assert [(track.shot, track.first, track.last) for track in tracks] == [(0, 0, 3), (1, 4, 9)]


def test_smoothing_does_not_look_over_a_cut():
    found = {number: [face(100 if number < 5 else 110)] for number in range(10)}
    one, other = tracks_of(found, 9, shots=[(0, 4), (5, 9)], smoothing=3)
    assert one.boxes == [[80, 80, 120, 120]] * 5 and other.boxes == [[90, 80, 130, 120]] * 5


@pytest.mark.parametrize("gap", [0, 1, 5])
@pytest.mark.parametrize("smoothing", [0, 3])
def test_lost_faces_are_bridged_as_far_as_told_and_no_further(gap, smoothing):
    def found(missing):
        numbers = [*range(3), *range(3 + missing, 7 + missing)]
        return {number: [face(100 + 2 * number, 100 - number)] for number in numbers}

    (track,) = tracks_of(found(gap), 30, gap=gap, smoothing=smoothing)
    assert (track.first, track.last) == (0, 6 + gap)
    assert [number for number, score in enumerate(track.scores) if score is None] == list(range(3, 3 + gap))
    # What moves evenly is where it must be in between.
    for number in range(7 + gap):
        np.testing.assert_allclose(track.box(number), face(100 + 2 * number, 100 - number).box, atol=0.011)
        np.testing.assert_allclose(track.marks(number), face(100 + 2 * number, 100 - number).landmarks, atol=2e-3)
    assert spans(tracks_of(found(gap + 1), 30, gap=gap, smoothing=smoothing)) == [(0, 2), (4 + gap, 7 + gap)]


def test_a_lost_face_is_looked_for_where_it_was_last():
    found = {number: [face(100 + 5 * number)] for number in range(4)}
    found |= {number: [face(118)] for number in range(6, 9)}
    assert len(tracks_of(found, 8)) == 1


def test_single_blunders_are_dropped():
    found = {number: [face(100)] for number in range(10)}
    found[2] = [face(100), face(300)]
    found[5], found[6] = [face(100), face(200)], [face(100), face(200)]
    assert spans(tracks_of(found, 9)) == [(0, 9)]
    found[7] = [face(100), face(200)]
    assert spans(tracks_of(found, 9)) == [(0, 9), (5, 7)]


def test_interpolated_frames_do_not_count_as_found():
    assert tracks_of({0: [face(100)], 5: [face(100)]}, 9) == []
    assert spans(tracks_of({0: [face(100)], 3: [face(100)], 6: [face(100)]}, 9)) == [(0, 6)]


@pytest.mark.parametrize("frames", [1, 2])
def test_shots_of_few_frames_need_a_face_in_each(frames):
    whole = {number: [face(100)] for number in range(frames)}
    (track,) = tracks_of(whole, frames - 1, smoothing=3)
    assert track.boxes == [[80, 80, 120, 120]] * frames and track.jitter == (0, 0)
    assert tracks_of({number: faces for number, faces in whole.items() if number}, frames - 1) == []


def test_no_face_is_no_track():
    assert tracks_of({}, 9) == [] and tracks_of({3: []}, 9) == []


def test_the_order_in_which_chunks_were_read_does_not_matter():
    found = {number: [face(100 + number), face(200 - number)] for number in range(8)}
    backwards = dict(reversed(found.items()))
    assert tracks_of(backwards, 7, smoothing=2) == tracks_of(found, 7, smoothing=2)


def test_ten_faces_are_ten_tracks():
    places = [(40 + 80 * column, 60 + 90 * row) for row in range(2) for column in range(5)]
    found = {number: [face(x + number, y, 50) for x, y in places] for number in range(6)}
    tracks = tracks_of(found, 5, smoothing=3)
    assert len(tracks) == 10
    assert [track.box(5)[:2] for track in tracks] == [[x + 5 - 25, y - 25] for x, y in places]


def shaking(count, *, pan=0.0, seed=3):
    """A face whose landmarks and box are found a pixel off."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(count):
        true = face(100 + pan * number, 100)
        box = tuple((np.array(true.box) + rng.normal(0, 1, 4)).tolist())
        found[number] = [Face(box, 0.99, (true.landmarks + rng.normal(0, 1, (5, 2))).astype(np.float32))]
    return found


@pytest.mark.parametrize("pan", [0, 4])
def test_smoothing_calms_and_a_pan_is_not_lagged_behind(pan):
    found = shaking(60, pan=pan)
    (raw,), (calm,) = tracks_of(found, 59), tracks_of(found, 59, smoothing=3)
    assert raw.jitter[0] == raw.jitter[1] == calm.jitter[0] > 2
    assert calm.jitter[1] < calm.jitter[0] / 20
    true = np.stack([face(100 + pan * number).landmarks for number in range(60)])
    error = np.array(calm.landmarks) - true
    assert np.abs(error).std() < 0.5 and np.abs(error[10:-10]).max() < 1.3
    # At both ends, too: a mean would be 5 and more pixels late there.
    assert abs(error[:5, :, 0].mean()) < 0.5 and abs(error[-5:, :, 0].mean()) < 0.5
    boxes = np.array(calm.boxes) - [face(100 + pan * number).box for number in range(60)]
    assert np.abs(boxes).max() < 2 and np.abs(np.diff(boxes, 2, axis=0)).max() < 0.2


@pytest.mark.parametrize("count", [1, 2, 3, 50])
@pytest.mark.parametrize("deviation", [0, 0.1, 0.5, 3, 25])
def test_what_moves_evenly_stays_as_it_is(count, deviation):
    values = np.arange(count)[:, None] * [3.0, -2.0, 0.0] + [100, 500, 7]
    np.testing.assert_allclose(calmed(values, deviation), values, atol=1e-6)


def test_a_single_jump_is_spread_over_the_neighbours_evenly():
    values = np.zeros((31, 1))
    values[15] = 1
    spread = calmed(values, 2)[:, 0]
    assert spread.argmax() == 15 and spread[15] == pytest.approx(1 / (2 * np.sqrt(2 * np.pi)), rel=0.01)
    np.testing.assert_allclose(spread, spread[::-1], atol=1e-12)
    assert not spread[:9].any() and spread.sum() == pytest.approx(1)


def test_jitter_is_the_size_of_second_differences():
    assert jitter(np.arange(20.0)[:, None] * [3, -1]) == 0
    assert jitter(np.array([[1.0], [-1.0]] * 5)) == 4
    assert jitter(np.array([[1.0], [-1.0]])) == 0


def test_all_are_kept_in_their_order():
    tracks = [still(range(5), x) for x in (300, 100, 200)]
    assert chosen(tracks, SIZE) == tracks and chosen([], SIZE, keep="largest") == []


def test_the_defaults_leave_faces_of_12_pixels_alone():
    defaults = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))["$defs"]["faces"]["properties"]
    eyes, height = defaults["eye_distance"]["default"], defaults["min_size"]["default"]
    assert chosen([still(range(5), height=12)], SIZE, eye_distance=eyes) == []
    smallest = [still(range(5), height=height)]
    assert chosen(smallest, SIZE, eye_distance=eyes) == smallest


def test_faces_are_left_alone_by_the_distance_of_their_eyes():
    """In the median: a face that comes nearer is there in all frames, and eyes may be one above the other."""
    coming = tracks_of({number: [face(100, 100, 24 if number < 3 else 40)] for number in range(8)}, 7)
    lying = still(range(5))
    lying = Track(**asdict(lying) | {"landmarks": [[[y, x] for x, y in marks] for marks in lying.landmarks]})
    for track in (*coming, lying):
        assert chosen([track], SIZE, eye_distance=14) == [track]
        assert chosen([track], SIZE, eye_distance=16) == []
    assert chosen([still(range(5))], SIZE, eye_distance=0)


def crossing():
    """A face that goes from x = 20 to x = 110, 10 pixels per frame."""
    (track,) = tracks_of({number: [face(20 + 10 * number)] for number in range(10)}, 9)
    return track


@pytest.mark.parametrize(
    ("region", "is_ignored"),
    [
        ((0, 0, 400, 300), True),
        ((0, 0, 74, 300), True),
        # Half of the frames are not most of them.
        ((0, 0, 64, 300), False),
        ((66, 0, 400, 300), False),
        ((56, 0, 400, 300), True),
        # Its box reaches into it, its centre does not.
        ((0, 105, 400, 300), False),
    ],
)
def test_faces_mostly_in_a_region_are_ignored(region, is_ignored):
    track, other = crossing(), still(range(5), 300, 30)
    far = (390, 290, 400, 300)
    assert (track not in chosen([track, other], SIZE, ignore=[far, region])) == is_ignored
    assert chosen([track], SIZE, ignore=[far]) == [track]


@pytest.mark.parametrize(
    ("point", "is_meant"),
    [((0, 20, 100), True), ((9, 110, 100), True), ((0, 110, 100), False), ((9, 91, 81), True), ((9, 89, 100), False),
     ((9.0, 110.0, 121.0), False), ((10, 110, 100), False)],
)  # fmt: skip
def test_with_points_only_faces_under_one_are_meant(point, is_meant):
    track, other = crossing(), still(range(5), 300)
    assert chosen([other, track], SIZE, points=[point]) == ([track] if is_meant else [])
    assert chosen([other, track], SIZE, points=[point, (2, 300, 100)]) == [other, *([track] if is_meant else [])]


def test_the_largest_in_most_of_its_frames_is_kept():
    small, large = still(range(10), 60, height=30), still(range(10), 150, height=40)
    brief = still(range(3), 250, height=80)
    alone = still(range(20, 24), 330, height=20)
    assert chosen([small, large], SIZE, keep="largest") == [large]
    assert chosen([small, large, brief], SIZE, keep="largest") == [large, brief]
    assert chosen([small, alone], SIZE, keep="largest") == [small, alone]
    assert chosen([small, large, still(range(6), 250, height=80)], SIZE, keep="largest")[0].box(0)[0] == 210


def test_the_one_nearest_to_the_centre_is_kept():
    middle, aside = still(range(5), 210, 140, height=20), still(range(5), 100, 150, height=90)
    above = still(range(5), 200, 30, height=60)
    assert chosen([aside, middle, above], SIZE, keep="centre") == [middle]
    assert chosen([aside, above], SIZE, keep="centre") == [aside]
    # Of a picture of another size it is another one.
    assert chosen([aside, middle, above], (200, 300), keep="centre") == [aside]


def test_what_is_left_alone_does_not_compete():
    large, small = still(range(5), 100, height=60), still(range(5), 300, height=30)
    assert chosen([large, small], SIZE, keep="largest", ignore=[(50, 50, 150, 150)]) == [small]
    assert chosen([large, small], SIZE, keep="largest", points=[(0, 300, 100)]) == [small]
