"""The timeline: what is built, written and read again."""

from fractions import Fraction

import pandas as pd
import pytest

from restoration.media.timeline import COLUMNS, Timeline

REPEATED, NUMBER, NUL = "0" * 30 + "12", "1" + "e" + "1" * 30, "0" * 32
HASHES = [REPEATED, NUMBER, NUL, REPEATED, "a" * 32, NUMBER, "f" * 32]
"""Digits only, or with an e: nothing may take them for numbers."""


@pytest.fixture
def timeline():
    return Timeline.build(Fraction(1001, 24000), [-3, 0, 2, 7, 8, 2**40, 2**40 + 1], 5, [2, 5], HASHES)


def test_build(timeline):
    table = timeline.table
    assert timeline.pts.tolist() == [-3, 0, 2, 7, 8, 2**40, 2**40 + 1]
    assert table["duration"].tolist() == [3, 2, 5, 1, 2**40 - 8, 1, 5]
    assert table["shot"].tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert table["duplicate_of"].tolist() == [-1, -1, -1, 0, -1, 1, -1]
    assert table["hash"].tolist() == HASHES
    assert timeline.end == 2**40 + 6
    assert timeline.shots() == [(0, 1), (2, 4), (5, 6)]
    assert {name: table[name].dtype for name in COLUMNS} == COLUMNS


def test_round_trip(timeline, tmp_path):
    timeline.write(tmp_path / "a.tsv")
    again = Timeline.read(tmp_path / "a.tsv")
    assert again.time_base == Fraction(1001, 24000)
    pd.testing.assert_frame_equal(again.table, timeline.table, check_names=False)
    assert again.shots() == timeline.shots()
    again.write(tmp_path / "b.tsv")
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()


def test_the_file_explains_itself(timeline, tmp_path):
    timeline.write(tmp_path / "a.tsv")
    first, second, third, *_ = (tmp_path / "a.tsv").read_text().splitlines()
    assert first == "# time_base 1001/24000"
    assert second.split("\t") == ["frame", *COLUMNS]
    assert third.split("\t") == ["0", "-3", "3", "0", "-1", HASHES[0], "", "0.0", "0.0", "0.0", ""]


def test_one_frame():
    timeline = Timeline.build(Fraction(1, 25), [9], 1, [], ["x"])
    assert (timeline.shots(), timeline.end) == ([(0, 0)], 10)
    assert timeline.table["duplicate_of"].tolist() == [-1]


def test_chains_of_duplicates_point_to_the_first():
    timeline = Timeline.build(Fraction(1), [0, 1, 2, 3], 1, [], ["a"] * 4)
    assert timeline.table["duplicate_of"].tolist() == [-1, 0, 0, 0]
