"""Black borders are none of a stage's business."""

import numpy as np

from restoration.stages.within import Within


class Inverting:
    def process(self, frames, *, exact=False):
        self.seen = frames.shape
        return 255 - frames

    def shrink(self, height, width):
        return True


def test_only_the_inside_passes_the_stage():
    frames = np.arange(2 * 6 * 8 * 3, dtype=np.uint8).reshape(2, 6, 8, 3)
    stage = Inverting()
    within = Within(stage, (4, 2, 2, 3))
    restored = within.process(frames)
    assert stage.seen == (2, 2, 4, 3)
    expected = frames.copy()
    expected[:, 3:5, 2:6] = 255 - expected[:, 3:5, 2:6]
    np.testing.assert_array_equal(restored, expected)
    assert within.shrink(6, 8)
