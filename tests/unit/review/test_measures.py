"""Each planted defect is found by the measure that is for it, and a clean file gives no finding."""

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from skimage.data import astronaut, cat
from skimage.metrics import structural_similarity

from media_factory import CONFIG_SCHEMA, Tone, pictures, wishes, write_clip
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.probe import probe
from restoration.media.still_delivery import deliver_still
from restoration.media.timeline import Timeline
from restoration.review import fidelity
from restoration.review.limits import MEASURES, OF_FRAMES, judge
from restoration.review.measures import measure

SHARP = EncodeSettings("h264", 8, "ultrafast")
SETTINGS = yaml.safe_load(CONFIG_SCHEMA.read_text())["properties"]["limits"]["properties"]
LIMITS = {name: about["default"] for name, about in SETTINGS.items()}
COUNT, CUT = 40, 20


def moved(picture, count, size=(128, 96), seed=0):
    """A pan over *picture*, with some grain."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        left, top = 2 * number, number
        view = picture[top : top + size[1], left : left + size[0]]
        yield np.clip(view + rng.normal(0, 2, view.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def frames():
    """Two shots: a face in colour, and a cat."""
    person = cv2.resize(astronaut(), (300, 300), interpolation=cv2.INTER_AREA)[:, 60:]
    animal = cv2.resize(cat(), (300, 200), interpolation=cv2.INTER_AREA)
    return np.stack([*moved(person, CUT), *moved(animal, COUNT - CUT)])


@dataclass(frozen=True)
class Case:
    """A source, and what it takes to restore and to measure it."""

    folder: Path
    source: Path
    description: dict
    timeline: Timeline

    def deliver(self, frames, suffix=".mp4", **changed):
        """The file that a restoration to twice the size delivers, of *frames* at the source's size."""
        target = self.folder / f"restored{suffix}"
        large = (cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for frame in frames)
        # Encoding proves itself by the looks of the source: what is planted there must not stop it.
        table = self.timeline.table.assign(light=0.0, change=0.0)
        timeline = replace(self.timeline, table=table)
        encode(target, large, timeline, self.source, self.description, SHARP, trimmed=False, strict=False, **changed)
        return target

    def findings(self, restored, **known):
        """By level and measure, of the default limits; and the summary."""
        _, summary = measure(self.source, self.description, self.timeline, restored, settings=SHARP, **known)
        json.dumps(summary, allow_nan=False)
        return {(finding["level"], finding["measure"]) for finding in judge(summary, LIMITS)}, summary


@pytest.fixture(scope="module")
def case(frames, tmp_path_factory):
    folder = tmp_path_factory.mktemp("measures")
    sound = [Tone("aac", seconds=1.6)]
    source = write_clip(folder / "source.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False, sound=sound)
    description, timeline = probe(source, wishes())
    assert timeline.shots() == [(0, CUT - 1), (CUT, COUNT - 1)]
    return Case(folder, source, description, timeline)


@pytest.fixture(scope="module")
def clean(case, frames):
    return case.deliver(frames).rename(case.folder / "clean.mp4")


def remuxed(path, target, moved=lambda packet: packet):
    """The same packets in another file, each as it is *moved*; None: left out."""
    with av.open(path) as source, av.open(target, "w") as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None and (packet := moved(packet)) is not None:
                packet.stream = streams[packet.stream_index]
                output.mux(packet)
    return target


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_clean_file_gives_no_finding(case, frames, suffix):
    found, summary = case.findings(case.deliver(frames, suffix))
    assert not found
    whole = summary["video"]
    assert whole["psnr"] > 35 and whole["ssim"] > 0.9
    assert whole["matrix"] < 0.1
    assert 0.8 < whole["sharpness"] < 1.2 and 0.8 < whole["blockiness"] < 1.2
    assert (whole["frames_off"], whole["sound_changed"], whole["tags_wrong"], summary["faces"]) == (0, 0, 0, None)
    shots = [(shot["shot"], shot["first"], shot["last"], shot["start"], shot["end"]) for shot in summary["shots"]]
    assert shots == [(0, 0, CUT - 1, 0, 0.8), (1, CUT, COUNT - 1, 0.8, 1.6)]


def test_the_table_has_a_row_for_each_frame(case, clean):
    table, summary = measure(case.source, case.description, case.timeline, clean, settings=SHARP)
    assert list(table.columns) == ["time", "shot", *OF_FRAMES]
    assert table.index.tolist() == list(range(COUNT))
    assert table["time"].tolist() == pytest.approx([number / 25 for number in range(COUNT)])
    # No flow across cuts.
    assert table.index[table["chroma_flicker"].isna()].tolist() == [0, CUT]
    for shot in summary["shots"]:
        rows = table[table["shot"] == shot["shot"]]
        assert shot["psnr"] == pytest.approx(rows["psnr"].mean(), abs=1e-3)
        worst = shot["worst"]["psnr"]
        assert rows["psnr"][worst["frame"]] == worst["value"] == rows["psnr"].min()


def test_dropped_frames(case, frames, tmp_path):
    intra = write_clip(
        tmp_path / "whole.mp4", frames, options={"g": "1", "bf": "0", "crf": "8"}, sound=[Tone(seconds=1.6)]
    )
    dropped = {packet / 25 for packet in range(8, 13)}

    def kept(packet):
        is_dropped = packet.stream.type == "video" and float(packet.pts * packet.time_base) in dropped
        return None if is_dropped else packet

    found, summary = case.findings(remuxed(intra, tmp_path / "dropped.mp4", kept))
    assert summary["video"]["frames_off"] == 5
    assert summary["video"]["time_error"] == pytest.approx(3 / 25, abs=1e-3)
    assert {("failure", "frames_off"), ("failure", "time_error")} <= found
    assert not found & {("failure", "audio_offset"), ("failure", "tags_wrong"), ("failure", "black")}


def test_sound_that_comes_late(case, clean, tmp_path):
    def late(packet):
        if packet.stream.type == "audio":
            shift = round(Fraction(1, 5) / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        return packet

    found, summary = case.findings(remuxed(clean, tmp_path / "late.mp4", late))
    assert found == {("failure", "audio_offset")}
    assert summary["video"]["audio_offset"] == pytest.approx(0.2, abs=0.005)


def test_sound_that_is_missing_or_other(case, clean, frames, tmp_path):
    silent = remuxed(clean, tmp_path / "silent.mp4", lambda packet: None if packet.stream.type == "audio" else packet)
    found, summary = case.findings(silent)
    assert ("warning", "sound_changed") in found and summary["video"]["sound_changed"] == 1


def test_chroma_that_flickers(case, frames):
    flickering = frames.copy()
    for number in range(0, CUT, 2):
        yuv = cv2.cvtColor(frames[number], cv2.COLOR_RGB2YUV)
        yuv[..., 1] = np.clip(yuv[..., 1].astype(int) + 10, 0, 255)
        flickering[number] = cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB)
    found, summary = case.findings(case.deliver(flickering))
    assert ("warning", "chroma_flicker") in found
    assert not found & {("warning", "luma_flicker"), ("warning", "matrix"), ("warning", "psnr")}
    first, second = summary["shots"]
    assert first["chroma_flicker"] > 2 and second["chroma_flicker"] < 0.3 and first["luma_flicker"] < 1


@pytest.mark.parametrize("sign", [1, -1])
def test_a_mistaken_matrix(case, frames, sign):
    mistaken = frames + sign * frames.astype(float) @ fidelity.MISTAKEN.T
    found, summary = case.findings(case.deliver(np.rint(mistaken).clip(0, 255).astype(np.uint8)))
    assert found == {("failure", "matrix")}
    assert summary["video"]["matrix"] == pytest.approx(1, abs=0.2)


def test_tags_that_lie(case, frames, tmp_path):
    """Pixels by BT.709 in a file that says BT.601: a player shows other colours."""
    silent = replace(case, source=write_clip(tmp_path / "silent.mkv", frames, codec="ffv1", pix_fmt="bgr0"))
    lying = tmp_path / "lying.mp4"
    with av.open(lying, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "8"})
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 6, 1, 1, 1
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
            frame.pts, frame.time_base, frame.colorspace = number, Fraction(1, 25), 6
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found, summary = silent.findings(lying)
    assert {("failure", "tags_wrong"), ("failure", "matrix")} <= found
    assert {name for _, name in found} == {"tags_wrong", "matrix"}
    assert (summary["video"]["tags_wrong"], summary["video"]["audio_offset"]) == (1, None)


def test_a_black_stretch(case, frames):
    black = frames.copy()
    black[25:30] = 0
    found, summary = case.findings(case.deliver(black))
    assert {("failure", "black"), ("failure", "psnr")} <= found
    assert [shot["black"] for shot in summary["shots"]] == [0, 5]
    finding = next(one for one in judge(summary, LIMITS) if one["measure"] == "black")
    assert (finding["frame"], finding["shot"], finding["time"], finding["found"], finding["allowed"]) == (
        25,
        1,
        1,
        5,
        0,
    )
    assert "black is 5, allowed: at most 0 frames" in finding["says"] and "shot 1, frame 25, 1.000 s" in finding["says"]


def test_a_frozen_stretch(case, frames):
    frozen = frames.copy()
    frozen[5:12] = frozen[5]
    found, summary = case.findings(case.deliver(frozen))
    assert ("failure", "frozen") in found
    first, second = summary["shots"]
    assert 3 <= first["frozen"] <= 6 and second["frozen"] == 0


def test_a_swapped_face(case, frames):
    """Another face, as bright, in the place of one that the record says is restored."""
    top, bottom, left, right = 10, 70, 20, 80
    swapped = frames.copy()
    other = cv2.resize(cat()[50:250, 120:320], (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    swapped[:CUT, top:bottom, left:right] = other
    entries = [{"frame": number, "box": [left, top, right, bottom], "strength": 1.0} for number in range(CUT)]
    face = {
        "face": 0, "shot": 0, "first": 0, "last": CUT - 1, "decision": "restored", "similarity": 0.95,
        "identity_distance": None, "landmark_jitter": {"found": 1.0, "calmed": 0.2},
        "unrest": {"source": 1.0, "restored": 1.5},
    }  # fmt: skip
    record = {"method": "invented", "frames": entries, "faces": [face, face | {"decision": "left alone: too unlike"}]}
    found, summary = case.findings(case.deliver(frames), record=record)
    assert not found
    assert (summary["faces"]["found"], summary["faces"]["restored"]) == (2, 1)
    assert summary["faces"]["tracks"][0]["face_unrest"] == 0.5
    assert summary["video"]["face_likeness"] > 0.95 and summary["shots"][1]["face_likeness"] is None
    found, _ = case.findings(case.deliver(swapped), record=record)
    assert ("warning", "face_likeness") in found
    face |= {"similarity": 0.3, "identity_distance": 0.9, "unrest": {"source": 1.0, "restored": 6.0}}
    found, _ = case.findings(case.deliver(frames), record=record | {"faces": [face]})
    assert found == {("warning", name) for name in ("face_similarity", "identity_distance", "face_unrest")}


def test_invented_chroma_is_not_compared(case, frames, clean):
    colourless = case.findings(clean, recoloured=[True] * CUT + [False] * (COUNT - CUT))[1]["shots"]
    assert colourless[0]["chroma_error"] is colourless[0]["matrix"] is None
    assert colourless[1]["chroma_error"] is not None and colourless[0]["chroma_flicker"] is not None


def test_gray_and_tiny_pictures(tmp_path):
    frames = pictures(6, 20, 6, gray=True)
    source = write_clip(tmp_path / "gray.mkv", frames, codec="ffv1", pix_fmt="bgr0")
    found, summary = Case(tmp_path, source, *probe(source, wishes())).findings(
        write_clip(tmp_path / "restored.mkv", frames, codec="ffv1", pix_fmt="bgr0")
    )
    assert summary["video"]["psnr"] == fidelity.BEST_PSNR and summary["video"]["matrix"] is None
    assert found <= {("failure", "tags_wrong")}


def test_stills(tmp_path, frames):
    source = tmp_path / "still.png"
    cv2.imwrite(str(source), frames[0][..., ::-1])
    description, timeline = probe(source, wishes())
    target = tmp_path / "restored.png"
    deliver_still(target, frames[0], source, description, None)
    table, summary = measure(source, description, timeline, target)
    assert len(table) == 1 and summary["video"]["psnr"] == fidelity.BEST_PSNR
    assert "frames_off" not in summary["video"]
    json.dumps(summary, allow_nan=False)
    assert not judge(summary, LIMITS)


def test_every_limit_is_one_of_a_measure():
    assert list(SETTINGS) == list(MEASURES)
    assert all(limits.keys() == {"warning", "failure"} for limits in LIMITS.values())
    document = (CONFIG_SCHEMA.parents[2] / "docs" / "measures.md").read_text()
    assert [name for name in MEASURES if f"| `{name}` |" not in document] == []


def test_the_worse_level_alone_is_told():
    summary = {"video": {"time_error": 0.5}, "shots": [], "faces": None}
    limits = {"time_error": {"warning": 0.1, "failure": 0.2}}
    (finding,) = judge(summary, limits)
    assert (finding["level"], finding["found"], finding["allowed"], finding["frame"]) == ("failure", 0.5, 0.2, None)
    limits["time_error"]["failure"] = None
    assert judge(summary, limits)[0]["level"] == "warning"
    assert not judge(summary, {"time_error": {"warning": 0.5, "failure": 0.5}})
    assert not judge({"video": {"time_error": None}, "shots": [], "faces": None}, limits)


def test_ssim_is_that_of_scikit_image(frames):
    one, other = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (frames[0], frames[3]))
    expected = structural_similarity(one, other, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    assert fidelity.ssim(one, other) == pytest.approx(expected, abs=1e-4)
    assert fidelity.ssim(one, one) == pytest.approx(1)


def test_colourfulness_of_plain_colours():
    red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    assert fidelity.colourfulness(np.full((8, 8, 3), 90, np.uint8)) == 0
    assert fidelity.colourfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5), rel=1e-4)


def test_sharpness_and_blocks(frames):
    luma = cv2.cvtColor(frames[0], cv2.COLOR_RGB2GRAY)
    assert fidelity.sharpness(cv2.GaussianBlur(luma, (9, 9), 2), luma) < 0.5
    blocks = luma.reshape(12, 8, 16, 8).mean(axis=(1, 3)).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    assert fidelity.blockiness(blocks, luma) > 3
    assert fidelity.blockiness(luma, luma) == fidelity.sharpness(luma, luma) == 1


def test_changes_of_colour_that_are_no_matrix(frames):
    frame = frames[CUT // 2].astype(float)
    gray = frame @ fidelity.BT709[0]
    for changed in (
        gray[..., None] + 1.3 * (frame - gray[..., None]),
        (frame - 128) * 1.15 + 128,
        frame + np.random.default_rng(0).normal(0, 8, frame.shape),
    ):
        assert fidelity.matrix_mistake(np.rint(changed).clip(0, 255).astype(np.uint8), frames[CUT // 2]) < 0.3


def test_the_table_can_be_read_again(case, clean, tmp_path):
    table, _ = measure(case.source, case.description, case.timeline, clean, settings=SHARP)
    table.to_csv(tmp_path / "a.tsv", sep="\t")
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "a.tsv", sep="\t", index_col="frame"), table, check_dtype=False
    )
