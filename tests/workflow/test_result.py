"""The delivered file against its source: every frame at its time, every byte of sound, honest colour tags."""

from collections import Counter

import av
import cv2
import pytest

from workflow.media import SIZE, frames, packets
from workflow.project import CLIPS, jobs

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


def test_what_is_made_on_request_shows_every_frame_at_its_time(project):
    with project.config() as settings:
        settings["recipes"]["tiny"]["review"] = {"stills": "0 0.5"}
    assert project.run("review") == jobs("clip") + jobs("clip", "stages") + Counter(["review"])
    assert not project.dry("review")
    for name in CLIPS:
        for form in ("side-by-side", "wipe"):
            shown = project.results / name / f"{name}.{form}.mp4"
            assert [pts for pts, _ in frames(shown)[1]] == CLIPS[name]["pts"]
            assert packets(shown, "audio") == packets(project.source(name), "audio")
        picture = cv2.imread(str(project.results / name / f"{name}.stages.png"))
        # Source, upscaled, restored.
        assert picture.shape[1] == 3 * 2 * SIZE[0]
