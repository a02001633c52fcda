"""Which frames a network is fitted to."""

import numpy as np

from media_factory import pictures
from restoration.media.chunks import write_chunk
from restoration.stages.quantize import EDGE, SAMPLES, samples


def test_samples_are_the_middles_of_frames_all_over_the_chunks(tmp_path):
    chunks = [tmp_path / f"{number}.mkv" for number in range(3)]
    shown = np.split(pictures(42, 300, 280), [20, 22])
    for chunk, frames in zip(chunks, shown, strict=True):
        write_chunk(chunk, frames, expected=len(frames))
    found = samples(chunks)
    top, left = (280 - EDGE) // 2, (300 - EDGE) // 2
    middles = [frames[:, top : top + EDGE, left : left + EDGE] for frames in shown]
    assert len(found) == 12
    expected = [middles[0][0], *middles[1], middles[2][-1]]
    for frame, place in zip(expected, (0, 5, 6, 11), strict=True):
        np.testing.assert_array_equal(found[place], frame)


def test_no_more_than_it_takes(tmp_path):
    frames = pictures(30, 20, 24)
    write_chunk(tmp_path / "0.mkv", frames, expected=30)
    found = samples([tmp_path / "0.mkv"])
    assert len(found) == SAMPLES + 1
    np.testing.assert_array_equal([found[0], found[-1]], [frames[0], frames[-1]])
