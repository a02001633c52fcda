"""The delivered file against its source: every frame at its time, every byte of sound, honest colour tags."""

import av
import pytest

from workflow.media import SIZE, frames, packets
from workflow.project import CLIPS

BT709 = 1
LIMITED = 1


@pytest.mark.parametrize("name", CLIPS)
def test_restored_video_is_exact(finished, name):
    source, restored = finished.project.source(name), finished.project.restored(name)
    time_base, shown = frames(restored)
    assert (time_base, [pts for pts, _ in shown]) == (frames(source)[0], CLIPS[name]["pts"])
    assert packets(restored, "audio") == packets(source, "audio")
    with av.open(restored) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        picture = container.streams.video[0].codec_context
        assert (picture.width, picture.height) == (2 * SIZE[0], 2 * SIZE[1])
        # As numbered in ITU-T H.273 and FFmpeg.
        tags = (picture.color_primaries, picture.color_trc, picture.colorspace, picture.color_range)
        assert tags == (BT709, BT709, BT709, LIMITED)
    assert (restored.parent / "comparison.png").stat().st_size > 1000
