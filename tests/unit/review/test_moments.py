"""Pictures show the chosen moments, or the middle of some shots."""

from fractions import Fraction

import pytest

from restoration.media.timeline import Timeline
from restoration.review.moments import moments

PTS = [90_000 + 3003 * number for number in range(100)]


@pytest.fixture
def timeline():
    cuts = [20, 40, 60, 80]
    return Timeline.build(Fraction(1, 90_000), PTS, 3003, cuts, [str(number) for number in range(len(PTS))])


@pytest.mark.parametrize(
    ("stills", "frames"),
    [
        ([], [9, 49, 89]),
        ([0], [0]),
        # The frame that is on the screen then, not the next one; a time that was rounded means its frame.
        ([1, 0.1, 0.034, 0.033, 0.03], [0, 1, 3, 29]),
        ([3.33, 9.0], [99]),
        ([9.0], [9, 49, 89]),
    ],
)
def test_frames_of_times(timeline, stills, frames):
    assert moments(timeline, stills) == frames
