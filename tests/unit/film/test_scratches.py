"""Scratches are found and confirmed; what belongs to the scene is left alone."""

import json
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from restoration.film.defects import Damaged, grain, scratches, weave
from restoration.film.scratches import KNOTS, LASTING, Line, candidates, confirmed
from shots import begun

COUNT = 14
WIDTH, HEIGHT = 640, 480
PLACE = 301.0


@pytest.fixture(scope="module")
def shots():
    return begun(COUNT)


def found_in(frames):
    return [candidates(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)) for frame in frames]


def line(place=PLACE, contrast=40.0, share=0.9):
    return Line((place,) * KNOTS, 3.0, contrast, share)


def waver(count, start=PLACE, **kwargs):
    rng = np.random.default_rng(4)
    return [[line(start + step, **kwargs)] for step in rng.normal(0, 0.7, count)]


@pytest.mark.parametrize("woven", [False, True])
@pytest.mark.parametrize("contrast", [30, 60])
@pytest.mark.parametrize("shot", [0, 1])
def test_simulated_scratches_are_found(shots, shot, contrast, woven):
    clean = Damaged.none(shots[shot])
    damaged = scratches(grain(clean, 1), 2, contrast=contrast) if woven else scratches(clean, 2, contrast=contrast)
    damaged = weave(damaged, 3) if woven else damaged
    told = confirmed(found_in(damaged.frames), WIDTH)
    hits = misses = false = 0
    for lines, covered in zip(told, damaged.scratches, strict=True):
        rows = np.linspace(0, HEIGHT - 1, KNOTS).round().astype(int)
        count, labels = cv2.connectedComponents(covered.astype(np.uint8))
        reached = [
            {label for row, x in zip(rows, one.places, strict=True) if (label := labels[row, round(x)])}
            for one in lines
        ]
        hits += len(set().union(*reached))
        misses += count - 1 - len(set().union(*reached))
        false += sum(not labels_of for labels_of in reached)
    assert hits / (hits + misses) > 0.9
    assert hits / (hits + false) > 0.9


@pytest.mark.parametrize("shot", [0, 1])
@pytest.mark.parametrize("noisy", [False, True])
def test_clean_shots_have_none(shots, shot, noisy):
    frames = grain(Damaged.none(shots[shot]), 1).frames if noisy else shots[shot]
    assert not any(confirmed(found_in(frames), WIDTH))


def drawn(places, width=3, contrast=40, background=100):
    """Luma with a line whose middle is at *places*, one per row."""
    distance = np.abs(np.arange(WIDTH) - np.asarray(places)[:, None])
    noise = np.random.default_rng(0).normal(0, 7, (HEIGHT, WIDTH))
    return np.clip(background + noise + contrast * np.clip(width / 2 + 0.5 - distance, 0, 1), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("contrast", [-40, 40])
def test_a_line_is_told_where_it_is(contrast):
    places = PLACE + 3 * np.sin(np.arange(HEIGHT) / HEIGHT * 4)
    (told,) = candidates(drawn(places, 3, contrast))
    rows = np.linspace(0, HEIGHT - 1, KNOTS).round().astype(int)
    np.testing.assert_allclose(told.places, places[rows], atol=1)
    assert abs(told.width - 3) <= 1
    assert abs(told.contrast - contrast) < 10
    assert told.share > 0.9
    assert Line(**json.loads(json.dumps(asdict(told)))) == replace(told, places=list(told.places))


def test_what_is_no_thin_upright_line_is_none():
    edge = np.full((HEIGHT, WIDTH), 60, np.uint8)
    edge[:, WIDTH // 2 :] = 180
    short = drawn(np.full(HEIGHT, PLACE))
    short[HEIGHT // 3 :] = 100
    oblique = drawn(PLACE + np.linspace(0, 20, HEIGHT))
    beams = drawn(np.full(HEIGHT, PLACE), width=25)
    barred = drawn(np.full(HEIGHT, 75.0))
    barred[:, :72] = 0
    for luma in (edge, short, oblique, barred, np.zeros_like(edge)):
        assert candidates(luma) == []
    assert not any(confirmed([candidates(beams)] * LASTING, WIDTH))


def test_bars_above_and_below_are_no_part_of_the_picture():
    luma = drawn(np.full(HEIGHT, PLACE))
    luma[:60] = luma[-60:] = 0
    (told,) = candidates(luma)
    assert told.share > 0.9


def test_a_dark_line_need_not_be_seen_where_all_is_black():
    luma = drawn(np.full(HEIGHT, PLACE), contrast=-40)
    luma[HEIGHT * 6 // 10 :] = np.where(np.arange(WIDTH) < 40, 90, 0)
    (told,) = candidates(luma)
    assert told.share > 0.9


def test_a_gap_is_filled():
    found = waver(12)
    found[5:7] = [], []
    told = confirmed(found, WIDTH)
    assert [len(lines) for lines in told] == [1] * 12
    before, *gap, after = (lines[0].place for lines in told[4:8])
    np.testing.assert_allclose(gap, [before + (after - before) / 3, before + (after - before) * 2 / 3])


def test_what_does_not_last_is_none():
    assert not any(confirmed([*waver(LASTING - 1), *[[]] * 10], WIDTH))
    assert all(confirmed([*waver(LASTING), *[[]] * 10], WIDTH)[:LASTING])
    assert all(confirmed(waver(LASTING - 1), WIDTH))
    assert not any(confirmed(waver(2), WIDTH))
    assert not any(confirmed(waver(12, share=0.55), WIDTH))
    assert not any(confirmed([[replace(one, width=9.0) for one in lines] for lines in waver(12)], WIDTH))


def test_signs_are_kept_apart():
    alternating = [[line(contrast=40 * (-1) ** number)] for number in range(4 * LASTING)]
    told = confirmed(alternating, WIDTH)
    assert all(sorted(one.contrast for one in lines) == [-40, 40] for lines in told[1:-1])


def test_lines_of_a_scene_that_moves_are_left_alone():
    count = 40
    fast = [[line(100 + 1.0 * number)] for number in range(count)]
    assert not any(confirmed(fast, WIDTH))
    slow, still = 0.25, waver(count)
    pole = [[line(100 + slow * number)] for number in range(count)]
    both = [a + b for a, b in zip(still, pole, strict=True)]
    assert {len(lines) for lines in confirmed(both, WIDTH)} == {2}
    panned = confirmed(both, WIDTH, [slow] * count)
    assert all(len(lines) == 1 and abs(lines[0].place - PLACE) < 5 for lines in panned)


def test_weave_is_no_motion_of_the_scene():
    sway = 2.3 * np.sin(2 * np.pi * np.arange(45) / 9)
    found = [[line(PLACE + shift)] for shift in sway]
    assert all(confirmed(found, WIDTH, np.diff(sway, prepend=sway[0])))
