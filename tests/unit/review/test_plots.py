"""Plots: every measure as a line in its box, gaps and cuts in their places, short whatever the length of a video."""

import re

import pytest

from restoration.review.plots import HEIGHT, MARGIN, MOST_POINTS, plots


def plotted(tmp_path, *lines):
    table = tmp_path / "measures.tsv"
    table.write_text("\n".join("\t".join(map(str, line)) for line in lines))
    return plots(table)


def points(path):
    return [tuple(map(float, match)) for match in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_a_line_reaches_from_the_lowest_value_to_the_highest_and_across_the_box(tmp_path):
    (plot,) = plotted(tmp_path, ("frame", "time", "shot", "noise"), (0, 0, 0, 2), (1, 0.04, 0, 4), (2, 0.08, 1, 3))
    assert (plot["name"], plot["low"], plot["high"]) == ("noise", 2, 4)
    assert points(plot["curve"]) == [(0, HEIGHT - MARGIN), (500, MARGIN), (1000, HEIGHT / 2)]
    assert plot["cuts"] == "M750.0 0V100"


def test_what_is_no_measure_has_no_line(tmp_path):
    found = plotted(tmp_path, ("frame", "time", "shot", "word", "nothing", "noise"), (0, 0, 0, "a", "", 1))
    assert [plot["name"] for plot in found] == ["noise"]


def test_without_shots_there_are_no_cuts(tmp_path):
    (plot,) = plotted(tmp_path, ("frame", "noise"), (0, 1), (1, 1))
    assert (plot["cuts"], points(plot["curve"])) == ("", [(0, HEIGHT / 2), (1000, HEIGHT / 2)])


def test_a_line_has_gaps_where_nothing_was_measured(tmp_path):
    (plot,) = plotted(tmp_path, ("frame", "noise"), *enumerate([1, 2, "", 1, "", 2, 2]))
    assert re.sub(r"[^ML]", "", plot["curve"]) == "MLMML"


@pytest.mark.parametrize("gap", [False, True])
def test_a_long_video_keeps_its_extremes(tmp_path, gap):
    values = [number % 7 for number in range(20000)]
    values[12345] = 1000
    values[777] = "" if gap else 3
    (plot,) = plotted(tmp_path, ("frame", "noise"), *enumerate(values))
    assert (plot["low"], plot["high"]) == (0, 1000)
    assert min(y for _, y in points(plot["curve"])) == MARGIN
    assert MOST_POINTS <= len(points(plot["curve"])) <= 2 * MOST_POINTS
    assert plot["curve"].count("M") == 1 + gap
