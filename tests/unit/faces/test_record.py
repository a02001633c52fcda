"""The record of what was invented: every face with its time and decision, and a mask as long as the video."""

from fractions import Fraction

import pytest

from restoration.faces.record import record
from restoration.media.timeline import Timeline

COUNT = 10
START = 48000
PTS = [START + number * 3003 + number % 3 * 700 for number in range(COUNT)]
"""Of a video that begins late and whose frames last differently."""
BASE = Fraction(1, 90000)
NETWORKS = {"model": {"model": "GFPGANv1.4", "task": "restore_faces", "sha256": "ab" * 32}}
INVENTED = "invented by a network that has learned what faces look like"


@pytest.fixture
def timeline():
    return Timeline.build(BASE, PTS, 3003, [4], [str(number) for number in range(COUNT)])


def track(first, scores, shot=0):
    return {
        "shot": shot, "first": first, "boxes": [[1, 2, 3, 4]] * len(scores), "landmarks": [[[0, 0]] * 5] * len(scores),
        "scores": scores, "jitter": [0.5, 0.1],
    }  # fmt: skip


def verdict(share, similarity=0.8):
    return {"share": share, "similarity": similarity, "change": [0, 0, 0], "unrest": [2.5, 1.5], "edge": 60}


def test_a_record_of_nothing(timeline):
    found = record({"tracks": [], "verdicts": []}, [], NETWORKS, timeline)
    assert found == {"method": INVENTED, "networks": NETWORKS, "faces": [], "frames": []}


def test_sharpening_is_not_called_inventing(timeline):
    networks = {"model": {"model": "realesr-animevideov3-fp16", "task": "upscale", "sha256": "ab" * 32}}
    assert "knows nothing of faces" in record({"tracks": [], "verdicts": []}, [], networks, timeline)["method"]


def test_each_track_has_a_summary(timeline):
    tracks = [track(4, [0.9, None, None, 0.8], shot=1), track(0, [0.99])]
    distances = {4: 0.3, 5: 0.1, 6: None, 7: 0.2}
    entries = [{"frame": number, "face": 0, "identity_distance": found} for number, found in distances.items()]
    entries.append({"frame": 0, "face": 1, "identity_distance": None})
    found = record({"tracks": tracks, "verdicts": [verdict(1.0), verdict(0.0, 0.2)]}, entries, NETWORKS, timeline)
    assert found["faces"] == [
        {
            "face": 0, "shot": 1, "first": 4, "last": 7, "detected": 2, "decision": "restored", "similarity": 0.8,
            "identity_distance": 0.2, "landmark_jitter": {"found": 0.5, "calmed": 0.1},
            "unrest": {"source": 2.5, "restored": 1.5},
        },
        {
            "face": 1, "shot": 0, "first": 0, "last": 0, "detected": 1,
            "decision": "left alone: too unlike the source", "similarity": 0.2, "identity_distance": None,
            "landmark_jitter": {"found": 0.5, "calmed": 0.1}, "unrest": {"source": 2.5, "restored": 1.5},
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("share", "decision"),
    [(0, "left alone: too unlike the source"), (0.3, "softened to 30%"), (0.305, "softened to 30%"), (1, "restored")],
)
def test_decisions_are_in_words(timeline, share, decision):
    found = record({"tracks": [track(0, [0.9])], "verdicts": [verdict(share)]}, [], NETWORKS, timeline)
    assert found["faces"][0]["decision"] == decision


def test_each_entry_has_the_time_at_which_the_result_shows_it(timeline):
    """The result begins at 0, whenever the source does."""
    entries = [
        {"frame": number, "face": face, "identity_distance": None} for number, face in [(0, 0), (0, 1), (4, 0), (9, 0)]
    ]
    found = record({"tracks": [], "verdicts": []}, entries, NETWORKS, timeline)
    assert found["frames"] == [
        {"time": round(float((PTS[entry["frame"]] - START) * BASE), 6)} | entry for entry in entries
    ]
