"""The delivered file against its source: every frame at its time, every byte of sound, honest colour tags."""

import json
from collections import Counter

import av
import cv2
import pandas as pd
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
    folder, count = restored.parent, len(CLIPS[name]["pts"])
    table = pd.read_csv(folder / f"{name}.measures.tsv", sep="\t", index_col="frame")
    assert len(table) == count and table["psnr"].min() > 20
    summary = json.loads((folder / f"{name}.measures.json").read_text())
    assert [shot["last"] - shot["first"] + 1 for shot in summary["shots"]] == list(CLIPS[name]["shots"])
    assert {summary["video"][about] for about in ("frames_off", "sound_changed", "tags_wrong")} == {0}
    assert json.loads((folder / f"{name}.findings.json").read_text()) == []


def test_a_video_beyond_its_limits_is_named_by_every_run(project):
    with project.config() as settings:
        settings["limits"] |= {"psnr": {"failure": 90}}
    # Pages show what is beyond a limit; they are made once, and the failure is told by every run.
    for rules in (("judge", "page"), ("judge",)):
        run = project.snakemake()
        assert (run.code, set(run.jobs)) == (1, {f"{rule} {video}" for rule in rules for video in CLIPS})
        assert "  regular: failed (logs/regular/judge.log): psnr is " in run.output
    assert project.restored("regular").exists()
    with project.config() as settings:
        settings["limits"] |= {"psnr": {"warning": 90}}
    run = project.snakemake()
    assert run.code == 0 and "  regular: doubtful (logs/regular/judge.log): psnr is " in run.output
    assert json.loads((project.results / "regular" / "regular.findings.json").read_text())[0]["level"] == "warning"
    assert not project.dry()


def test_what_is_made_on_request_shows_every_frame_at_its_time(project):
    with project.config() as settings:
        settings["recipes"]["tiny"]["review"] = {"stills": "0 0.5"}
    assert project.run("review") == jobs("clip") + jobs("clip") + jobs("clip", "stages") + Counter(["review"])
    assert not project.dry("review")
    for name in CLIPS:
        for form in ("side-by-side", "stages", "wipe"):
            shown = project.results / name / f"{name}.{form}.mp4"
            assert [pts for pts, _ in frames(shown)[1]] == CLIPS[name]["pts"]
            assert packets(shown, "audio") == packets(project.source(name), "audio")
        picture = cv2.imread(str(project.results / name / f"{name}.stages.png"))
        # Source, upscaled, restored.
        assert picture.shape[1] == 3 * 2 * SIZE[0]
