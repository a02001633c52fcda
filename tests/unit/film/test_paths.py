"""Courses through what was measured once per frame: no bias, nothing abrupt blurred, strays told."""

import numpy as np
import pytest

from restoration.film.paths import Window, calm, jitter, smoothed

WINDOWS = (Window(np.inf, 0), Window(16, 1), Window(6, 1))


def course(values, tolerance=np.inf, windows=WINDOWS[1:], weights=None):
    return smoothed(values, np.ones(len(values)) if weights is None else weights, windows, tolerance)


def test_jitter_is_the_deviation_whatever_the_course():
    noise = np.random.default_rng(1).normal(0, 0.7, 4000)
    assert jitter(noise) == pytest.approx(0.7, rel=0.05)
    moving = noise + 3 * np.arange(4000) + 100 * np.sin(np.arange(4000) / 300)
    moving[::100] += 40
    assert jitter(moving) == pytest.approx(0.7, rel=0.15)
    assert jitter((np.arange(60.0) / 10) ** 3) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", range(5))
def test_jitter_of_too_few_is_none(count):
    assert jitter(np.arange(float(count))) == 0


@pytest.mark.parametrize("degree", range(4))
def test_polynomials_pass_up_to_the_ends(degree):
    values = ((np.arange(60) - 20) / 20.0) ** degree
    assert np.allclose(course(values, windows=(Window(12, degree),)), values, atol=1e-3)


@pytest.mark.parametrize("count", range(1, 6))
@pytest.mark.parametrize("degree", [0, 1, 3])
def test_short_shots_have_a_course(count, degree):
    values = np.random.default_rng(count).normal(5, 1, count)
    found = course(values, windows=(Window(12, degree),))
    assert np.isfinite(found).all() and np.abs(found - values).max() < 4
    assert np.abs(found.mean() - values.mean()) < 0.01


def test_noise_is_smoothed_and_more_so_by_the_longest_window_that_fits():
    noise = np.random.default_rng(2).normal(0, 1, 600)
    assert course(noise).std() < 0.2
    assert np.ptp(course(noise, 2, WINDOWS)) < 1e-3


def test_an_abrupt_change_is_not_blurred_beyond_the_tolerance():
    kink = 3 * np.clip(np.arange(120.0) - 60, 0, None)
    blurred = np.abs(course(kink, windows=WINDOWS[1:2]) - kink).max()
    assert blurred > 10
    assert np.abs(course(kink, 1.0) - kink).max() < 2.5
    step = np.where(np.arange(120) < 60, 0.0, 100.0)
    assert np.abs(course(step, 1.0) - step)[[40, 59, 60, 80]].max() < 1


def test_values_without_weight_do_not_count():
    values = np.arange(80.0)
    stray = values.copy()
    stray[[0, 30, 31, 79]] = 1e4
    assert np.allclose(course(stray, 1.0, weights=(stray < 1e4).astype(float)), values, atol=1e-3)


def test_strays_are_told_from_steps_and_slopes():
    values = np.arange(40.0)
    values[20:] += 50
    values[[0, 10, 11, 12, 39]] += 30
    assert np.flatnonzero(~calm(values, 10)).tolist() == [0, 10, 11, 12, 39]
