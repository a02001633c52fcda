"""Which frames pictures of a video show."""

from collections.abc import Sequence

import numpy as np

from restoration.media.timeline import Timeline
from restoration.pipeline.plan import spread

MOST_SHOTS = 3


def moments(timeline: Timeline, stills: Sequence[float]) -> list[int]:
    """The frames that are seen at *stills*, in seconds from the first frame, as far as the video goes; without such
    times the middle frames of up to three shots, evenly chosen."""
    seconds, end = [float(time) for time in timeline.times()], float(timeline.since_first(timeline.end))
    # A time is given in milliseconds at best: that of a frame, rounded, means this frame.
    wanted = [int(np.searchsorted(seconds, time + 0.0005, side="right")) - 1 for time in stills if time < end]
    return sorted(set(wanted)) or [sum(shot) // 2 for shot in spread(timeline.shots(), MOST_SHOTS)]
