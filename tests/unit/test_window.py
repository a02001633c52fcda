"""Frames with their neighbours: within the shot, within reach, the nearest first, and the same whatever chunks are."""

from dataclasses import dataclass

import pytest

from restoration.window import windows


@dataclass(frozen=True)
class Item:
    number: int
    shot: int


ITEMS = [Item(number, 0 if number < 4 else 1) for number in range(10)]


def seen(items, wanted, reach):
    found = windows(items, wanted, reach)
    return [tuple([one.number] if isinstance(one, Item) else [i.number for i in one] for one in f) for f in found]


def test_neighbours_are_of_the_same_shot_and_the_nearest_comes_first():
    assert seen(ITEMS, range(2, 6), 3) == [
        ([2], [1, 0], [3]),
        ([3], [2, 1, 0], []),
        ([4], [], [5, 6, 7]),
        ([5], [4], [6, 7, 8]),
    ]


@pytest.mark.parametrize("cut", range(1, 10))
def test_chunks_do_not_matter(cut):
    whole = seen(ITEMS, range(10), 2)
    first = seen(ITEMS[: cut + 2], range(cut), 2)
    assert first + seen(ITEMS[max(0, cut - 2) :], range(cut, 10), 2) == whole


def test_no_more_is_read_than_is_needed():
    read = []
    source = (read.append(item.number) or item for item in ITEMS)
    next(windows(source, range(3, 5), 2))
    assert read == [0, 1, 2, 3, 4, 5]
