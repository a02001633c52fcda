"""A label that can be read on any ground and spoils nothing else."""

import numpy as np
import pytest

from restoration.media.label import faces_labelled, labelled

TEXT = "Restored with AI: colours and faces are invented"


@pytest.mark.parametrize("ground", [0, 255])
@pytest.mark.parametrize(("height", "width"), [(480, 640), (1080, 1440), (576, 300)])
def test_it_stands_out_in_its_corner(ground, height, width):
    (drawn,) = labelled([np.full((height, width, 3), ground, np.uint8)], TEXT)
    changed = (drawn != ground).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert rows[0] > height * 0.9
    assert 0 < columns[0] < width * 0.05
    assert columns[-1] < width - 1, "nothing of it is cut off"
    assert columns[-1] - columns[0] > width * 0.4
    assert {int(drawn.min()), int(drawn.max())} == {0, 255}, (
        "letters or outline, one of them can be told from the ground"
    )


def test_letters_that_the_schema_allows_are_there():
    grey = np.full((480, 640, 3), 128, np.uint8)
    *shown, lacking = [next(labelled([grey], letter)) for letter in map(chr, [*range(33, 127), 0xFFFE])]
    assert all((lacking != one).any() for one in shown), "none of them is the box for what the font lacks"


def test_it_goes_when_its_time_is_over():
    frames = [np.full((480, 640, 3), 128, np.uint8)] * 4
    assert [bool((frame != 128).any()) for frame in labelled(frames, TEXT, 2)] == [True, True, False, False]
    assert all((frame != 128).any() for frame in labelled(frames, TEXT))
    assert (frames[0] == 128).all(), "the restored frame itself is left alone"


def test_it_is_seen_on_what_is_deep_and_transparent():
    (drawn,) = labelled([np.zeros((480, 640, 4), np.uint16)], TEXT)
    assert drawn.dtype == np.uint16
    assert drawn[..., :3].max() == drawn[..., 3].max() == 65535
    assert not drawn[:400].any()


def test_it_stands_below_each_face_and_nowhere_else():
    frames = [np.full((480, 640, 3), 128, np.uint8)] * 2
    boxes = {1: [[20, 10, 60, 60], [100, 80, 160, 118]]}
    first, second = faces_labelled(frames, "invented", boxes, 160)
    assert (first == 128).all()
    changed = (second != 128).any(axis=2)
    left, right = changed[:, :320], changed[:, 320:]
    for part, top, middle in ((left, 240, 160), (right, 480 - 40, 520 - 320)):
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        assert top <= rows[0] < rows[-1] < 480
        assert abs((columns[0] + columns[-1]) / 2 - middle) < 3
    assert (frames[1] == 128).all()
