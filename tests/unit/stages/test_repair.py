"""Repair as a chain: the same whatever chunks are, never across cuts, nothing on clean frames, all of it told."""

import json
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from skimage.data import astronaut, coffee
from skimage.metrics import structural_similarity

from restoration.errors import RestorationError
from restoration.film.defects import damage
from restoration.film.findings import Findings
from restoration.film.flicker import Tone
from restoration.film.survey import REACH as LOOKING
from restoration.film.survey import examined, surveyed
from restoration.media.looks import psnr
from restoration.motion import Seen
from restoration.pipeline.plan import NEIGHBOURS
from restoration.stages.repair import CONTEXT, repaired, whole

SETTINGS = {
    "weave": "fill",
    "flicker": 1,
    "dust": 0.5,
    "scratches": True,
    "grain": 0.7,
    "blocks": 0,
    "blur": 0,
    "halo": 0,
}
MEASURED = ("moved", "changed", "lines", "noise")
COUNT = 16
"""Frames of a shot."""


def tripod(picture, count=COUNT):
    """A still *picture* before which something moves."""
    small = cv2.resize(picture, (240, 180), interpolation=cv2.INTER_AREA)
    frames = np.repeat(small[None], count, axis=0)
    for number, frame in enumerate(frames):
        cv2.circle(frame, (40 + 5 * number, 130), 14, (200, 180, 60), -1, cv2.LINE_AA)
    return frames


ONE, OTHER = tripod(astronaut()), tripod(coffee())


def shots(*all_frames):
    """Frames of shots after one another."""
    numbered = enumerate((frame, shot) for shot, frames in enumerate(all_frames) for frame in frames)
    return [Seen(frame, number, shot) for number, (frame, shot) in numbered]


def survey(seen, measured=MEASURED):
    """The findings on every frame, by way of JSON."""
    looks = json.loads(json.dumps(list(examined(seen, range(len(seen)), measured))))
    spans = [(min(n), max(n)) for n in ([s.number for s in seen if s.shot == shot] for shot in {s.shot for s in seen})]
    told, found = surveyed(looks, spans, 240, 180)
    read = json.loads(json.dumps([asdict(one) for one in found]))
    return {number: Findings.from_json(one) for number, one in enumerate(read)}, told


def repair(seen, findings, wanted=None, **settings):
    """The repaired ones of all that is *seen*, with no more context than is promised."""
    wanted = wanted or range(len(seen))
    available = range(max(0, wanted.start - CONTEXT), min(len(seen), wanted.stop + CONTEXT))
    return list(repaired((seen[n] for n in available), available, wanted, SETTINGS | settings, findings))


def pictures(repairs):
    return np.stack([one.frame for one in repairs])


@pytest.fixture(scope="module")
def old():
    """Two shots with all that film suffers from."""
    return [
        damage(frames, "grain", "dust", "scratches", "flicker", "weave", seed=3 * seed)
        for seed, frames in enumerate([ONE, OTHER])
    ]


@pytest.fixture(scope="module")
def seen(old):
    return shots(*(one.frames for one in old))


@pytest.fixture(scope="module")
def findings(seen):
    return survey(seen)[0]


def test_all_defects_are_taken_back(old, seen, findings):
    repairs = repair(seen, findings)
    for truth, damaged, restored in zip([ONE, OTHER], old, [repairs[:COUNT], repairs[COUNT:]], strict=True):
        for measure, gain in ((psnr, 5), (lambda a, b: structural_similarity(a, b, channel_axis=2), 0.1)):
            before, after = (
                np.mean([measure(*pair) for pair in zip(frames, truth, strict=True)])
                for frames in (damaged.frames, pictures(restored))
            )
            assert after > before + gain


@pytest.mark.parametrize("weave", ["fill", "crop"])
def test_chunks_do_not_matter(seen, findings, weave):
    everything = repair(seen, findings, weave=weave)
    for cut in (3, 20):
        parts = [repair(seen, findings, part, weave=weave) for part in (range(cut), range(cut, 2 * COUNT))]
        for one, other in zip(everything, [*parts[0], *parts[1]], strict=True):
            np.testing.assert_array_equal(one.frame, other.frame)
            np.testing.assert_array_equal(one.mask, other.mask)
            assert one.entry(SETTINGS) == other.entry(SETTINGS)
    assert CONTEXT <= NEIGHBOURS


def test_measuring_does_not_depend_on_chunks(seen):
    whole_video = list(examined(seen, range(2 * COUNT), MEASURED))
    first, last = 9, 13
    part = examined(iter(seen[first - LOOKING : last + LOOKING]), range(first, last), MEASURED)
    assert list(part) == whole_video[first:last]


def test_nothing_comes_across_a_cut(old, seen, findings):
    """A shot is repaired as if there were no other."""
    alone = shots(old[0].frames)
    found, _ = survey(alone)
    assert found == {number: findings[number] for number in range(COUNT)}
    np.testing.assert_array_equal(pictures(repair(alone, found)), pictures(repair(seen, findings)[:COUNT]))


@pytest.mark.parametrize("weave", ["fill", "crop"])
def test_clean_frames_pass_untouched(weave):
    clean = shots(ONE, OTHER)
    found, told = survey(clean)
    assert told == [
        {"first": first, "last": first + COUNT - 1, "weave": 0, "flicker": 0, "noise": 0, "scratches": 0}
        for first in (0, COUNT)
    ]
    repairs = repair(clean, found, weave=weave, dust=0)
    np.testing.assert_array_equal(pictures(repairs), np.concatenate([ONE, OTHER]))
    assert not any(one.mask.any() for one in repairs)
    # Of what moves fast, a little is taken for dust.
    assert np.mean([one.mask.any(axis=2) for one in repair(clean, found, weave=weave)]) < 0.001


def test_what_was_done_is_told(old, seen, findings):
    number = int(np.abs(old[0].shifts).max(axis=1).argmax())
    one = repair(seen, findings)[number]
    entry = one.entry(SETTINGS)
    assert entry["frame"] == number and entry["zoom"] == 1
    np.testing.assert_allclose(entry["shift"], -old[0].shifts[number], atol=0.4)
    assert entry["gain"] == pytest.approx(1 / old[0].gains[number], rel=0.04)
    for channel, cause in enumerate(("dust", "scratches", "border")):
        assert entry[cause] == np.count_nonzero(one.mask[..., channel] > 127)
    assert entry["scratches"] and entry["border"]
    dusty = int(old[0].dust.sum(axis=(1, 2)).argmax())
    assert repair(seen, findings)[dusty].entry(SETTINGS)["dust"]
    assert one.entry(SETTINGS | {"weave": "none", "flicker": 0}) | {"dust": 0, "scratches": 0, "border": 0} == {
        "frame": number, "shift": [0, 0], "zoom": 1, "gain": 1, "offset": 0, "dust": 0, "scratches": 0, "border": 0,
    }  # fmt: skip


def test_what_is_not_asked_for_is_not_done(seen, findings):
    nothing = {"weave": "none", "flicker": 0, "dust": 0, "scratches": False, "grain": 0}
    repairs = repair(seen, findings, **nothing)
    np.testing.assert_array_equal(pictures(repairs), np.stack([one.frame for one in seen]))
    assert not any(one.mask.any() for one in repairs)


def test_a_frame_that_becomes_black_is_an_error(seen):
    wrong = dict.fromkeys(range(2 * COUNT), Findings(tone=Tone(-9, 0)))
    with pytest.raises(RestorationError, match="frame 0: repair turned a lit picture black"):
        repair(seen, wrong)


def test_borders_stay(seen, findings):
    (one,) = repair(seen, findings, range(3, 4))
    source = np.full((200, 300, 3), 7, np.uint8)
    frame, mask = whole(one, source, [240, 180, 20, 10])
    np.testing.assert_array_equal(frame[10:190, 20:260], one.frame)
    np.testing.assert_array_equal(mask[10:190, 20:260], one.mask)
    frame[10:190, 20:260] = 7
    mask[10:190, 20:260] = 0
    assert (frame == 7).all() and not mask.any() and (source == 7).all()
    np.testing.assert_array_equal(whole(one, one.frame * 0, None)[0], one.frame)


@pytest.mark.parametrize("times", [2, 3])
def test_film_that_is_slower_than_its_video_is_repaired_as_if_it_was_not(old, times):
    """Every picture is there several times: what becomes of one becomes of all, and nothing else than without them."""
    frames = old[0].frames
    alone = shots(frames)
    expected = repair(alone, survey(alone)[0], grain=0)
    slow = shots(frames.repeat(times, axis=0))
    found, _ = survey(slow)
    repairs = repair(slow, found, grain=0)
    assert [one.number for one in repairs] == list(range(times * COUNT))
    for number, one in enumerate(repairs):
        np.testing.assert_array_equal(one.frame, repairs[number // times * times].frame)
    for one, other in zip(expected[1:-1], repairs[times:-times:times], strict=True):
        assert psnr(one.frame, other.frame) > 35
    for cut in (5, 8):
        parts = [repair(slow, found, part, grain=0) for part in (range(cut), range(cut, times * COUNT))]
        np.testing.assert_array_equal(pictures(parts[0] + parts[1]), pictures(repairs))


def test_borders_are_not_filled_from_a_scene_that_was_not_told_apart(old):
    """A cut that was missed: of frames that cannot be compared nobody knows where they lie."""
    bright, dark = old[0].frames // 4 + 190, old[1].frames // 4
    joined = shots(np.concatenate([bright, dark]))
    found, _ = survey(joined, ["moved"])
    still = {"flicker": 0, "dust": 0, "scratches": False, "grain": 0}
    for one in repair(joined, found, **still):
        filled = one.frame[one.mask.any(axis=2)]
        assert (filled > 125).all() if one.number < COUNT else (filled < 125).all()
