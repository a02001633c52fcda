"""Windows and cores of the tiling, over many sizes."""

from itertools import pairwise

import numpy as np
import pytest

from restoration.engines.tiles import spans, windows

CASES = [
    (size * factor, tile, overlap, multiple)
    for size in (1, 2, 13, 16, 17, 31, 64, 100, 333, 4096)
    for tile in (0, 1, 5, 16, 64, 512)
    for overlap in (0, 1, 8, 32)
    for multiple, factor in ((1, 1), (2, 2), (4, 4), (2, 1), (4, 3))
    if not (tile == 1 and size == 4096)
]


@pytest.mark.parametrize("multiple", [1, 2, 4])
@pytest.mark.parametrize("overlap", [0, 1, 8, 32])
def test_every_axis_is_covered_with_context(overlap, multiple):
    for size, tile, *_ in (case for case in CASES if case[2:] == (overlap, multiple)):
        row = spans(size, tile, overlap, multiple)
        case = f"{size=} {tile=}"
        assert (row[0].core_start, row[-1].core_stop) == (0, size), case
        assert all(left.core_stop == right.core_start for left, right in pairwise(row)), case
        assert all(span.core_start < span.core_stop for span in row), case
        assert len({span.window_stop - span.window_start for span in row}) == 1, case
        for span in row:
            assert 0 <= span.window_start <= span.core_start, case
            assert span.core_stop <= span.window_stop <= size, case
            assert span.window_start == 0 or span.core_start - span.window_start >= overlap, case
            assert span.window_stop == size or span.window_stop - span.core_stop >= overlap, case
            assert span.window_start % multiple == (size - span.window_stop) % multiple == 0, case


@pytest.mark.parametrize(("size", "tile", "overlap", "multiple"), CASES[::7])
def test_cores_are_no_longer_than_the_tile_and_evenly_shared(size, tile, overlap, multiple):
    lengths = [span.core_stop - span.core_start for span in spans(size, tile, overlap, multiple)]
    if tile:
        # Rounded up to the multiple, without which no tile is possible.
        assert max(lengths) <= -(-tile // multiple) * multiple
    assert len(lengths) <= (-(-size // tile) if tile else 1)
    assert len(set(lengths[:-1])) <= 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 13), (4096, 16), (16, 4096), (64, 64), (65, 127)])
@pytest.mark.parametrize("tile", [0, 16, 50])
def test_cores_tile_a_picture_exactly_once(height, width, tile):
    seen = np.zeros((height, width), np.uint8)
    for row, column in windows(height, width, tile, 8):
        seen[row.core_start : row.core_stop, column.core_start : column.core_stop] += 1
    assert (seen == 1).all()


def test_no_limit_means_one_window():
    assert list(windows(30, 40, 0, 8)) == [(spans(30, 0, 8)[0], spans(40, 0, 8)[0])]
    assert len(spans(40, 40, 8)) == 1
    assert len(spans(40, 39, 8)) == 2
