"""The record of repairs: by what, of each shot and frame how much, with masks of several steps as one."""

from fractions import Fraction

import numpy as np

from restoration.film.record import merged, record
from restoration.media.timeline import Timeline

TIMELINE = Timeline.build(Fraction(1, 25), [10, 11, 13], 1, [2], list("abc"))
REPAIR, RETOUCH = {"weave": "fill", "flicker": 1}, {"model": "old-photos-scratches"}


def test_every_frame_has_its_time_and_every_step_its_method():
    shots = [{"first": 0, "last": 1, "weave": 0.5}, {"first": 2, "last": 2, "weave": 0}]
    entries = [{"frame": number, "dust": number} for number in range(3)]
    spec = {"settings": {"repair": REPAIR}, "networks": {}}
    assert record(spec, shots, entries, TIMELINE) == {
        "methods": {"repair": "replaced by what neighbouring frames or pixels show; nothing was invented"},
        "settings": {"repair": REPAIR},
        "networks": {},
        "shots": shots,
        "frames": [{"time": time, "frame": n, "dust": n} for n, time in enumerate((0, 0.04, 0.12))],
    }


def test_what_networks_painted_is_said_to_be_invented():
    networks = {"model": {"model": "x"}}
    spec = {"settings": {"repair": REPAIR, "retouch": RETOUCH}, "networks": networks}
    found = record(spec, [], [{"frame": 0}], TIMELINE)
    assert found["methods"]["retouch"] == "all pixels changed by a network that invents"
    assert found["networks"] == networks
    networks["detector"] = {"model": "y"}
    told = record(spec, [], [{"frame": 0}], TIMELINE)["methods"]["retouch"]
    assert told == "scratches painted over, and all pixels changed, by a network that invents"


def test_masks_of_several_steps_become_one():
    one, other = (np.zeros((3, 4, 5, 3), np.uint8) for _ in range(2))
    one[0, 1, 1] = 200, 10, 0
    other[0, 1, 1] = 0, 130, 0
    other[2, 3] = 0, 255, 0
    other[1, 0] = 0, 1, 0  # blended, at a low strength
    entries = [{"frame": number} for number in range(3)]
    together = list(merged(zip(one, other, strict=True), entries, painted=True))
    np.testing.assert_array_equal(together, np.maximum(one, other))
    assert [entry["painted"] for entry in entries] == [1, 5, 5]


def test_without_a_network_nothing_is_painted():
    entries = [{"frame": 0, "dust": 3}]
    mask = np.full((2, 2, 3), 255, np.uint8)
    np.testing.assert_array_equal(next(merged([(mask,)], entries, painted=False)), mask)
    assert entries == [{"frame": 0, "dust": 3}]
