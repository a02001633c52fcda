"""Source and result in one video: each frame with its own counterpart, at its time, with the sound."""

from fractions import Fraction

import numpy as np
import pytest

from media_factory import Tone, decoded, pictures, sound_packets, video_times, wishes, write_clip
from restoration.errors import RestorationError
from restoration.media.chunks import write_chunk
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.probe import probe
from restoration.review import clips
from restoration.review.clips import PERIOD, border
from restoration.review.comparison import LINE_HEIGHT

PTS = [900 + index * 33 + index % 3 * 7 for index in range(30)]
SMOOTH = EncodeSettings("h264", 4, "ultrafast")


@pytest.fixture(scope="module")
def restored(tmp_path_factory):
    """A clip whose frames last differently, with sound, and its enlarged negative, of odd height."""
    folder = tmp_path_factory.mktemp("clips")
    frames = pictures(30, 96, 65)
    source = write_clip(
        folder / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False, time_base=Fraction(1, 1000), pts=PTS,
        sound=[Tone(seconds=1, start=1)],
    )  # fmt: skip
    description, timeline = probe(source, wishes())
    result = (255 - frames).repeat(3, axis=1).repeat(3, axis=2)
    encode(folder / "b.mp4", result, timeline, source, description, SMOOTH, trimmed=False, strict=False)
    return source, description, timeline, folder / "b.mp4", frames


def written(restored, target, form):
    source, description, timeline, result, _ = restored
    clips.write_clip(target, form, source, description, timeline, result, ["upscale small"], trimmed=False)
    return decoded(target)


@pytest.mark.parametrize("form", clips.FORMS)
def test_times_and_sound_are_those_of_the_source(restored, tmp_path, form):
    written(restored, tmp_path / "c.mp4", form)
    assert video_times(tmp_path / "c.mp4") == [Fraction(pts, 1000) for pts in PTS]
    assert [data for _, data in sound_packets(tmp_path / "c.mp4")[0]] == [
        data for _, data in sound_packets(restored[0])[0]
    ]


def unlike(picture, frame):
    """How much *picture* differs from an enlargement of *frame*."""
    return np.abs(picture[: 64 * 3].astype(int) - frame[:64].repeat(3, axis=0).repeat(3, axis=1)).mean()


def test_each_frame_stands_beside_its_counterpart(restored, tmp_path):
    shown = written(restored, tmp_path / "c.mp4", "side-by-side")
    assert shown.shape == (30, LINE_HEIGHT + 194, 2 * 288, 3)
    assert shown[0, :LINE_HEIGHT].max() > 200
    for number in (0, 13, 29):
        left, right = np.split(shown[number, LINE_HEIGHT:], 2, axis=1)
        for side in (left, 255 - right):
            differences = [unlike(side, frame) for frame in restored[4]]
            assert int(np.argmin(differences)) == number and differences[number] < 12


def test_stages_stand_between_source_and_result(restored, tmp_path):
    source, description, timeline, result, frames = restored
    turned = tmp_path / "turn.0123456789" / "0000000-0000029.mkv"
    write_chunk(turned, frames[:, ::-1, ::-1], expected=30)
    clips.write_clip(
        tmp_path / "c.mp4", "stages", source, description, timeline, result, [], trimmed=False,
        stages={"after turning": [turned]},
    )  # fmt: skip
    shown = decoded(tmp_path / "c.mp4")
    assert shown.shape == (30, LINE_HEIGHT + 194, 3 * 288, 3)
    for number in (0, 29):
        left, middle, right = np.split(shown[number, LINE_HEIGHT:], 3, axis=1)
        for side, due in ((left, frames), (255 - right, frames), (middle, frames[:, ::-1, ::-1])):
            assert int(np.argmin([unlike(side, frame) for frame in due])) == number


def test_a_wipe_shows_the_source_up_to_its_border(restored, tmp_path):
    shown = written(restored, tmp_path / "c.mp4", "wipe")
    assert shown.shape[2] == 288
    places = [border((pts - PTS[0]) / 1000, 288) for pts in PTS]
    assert places[0] == 144 and places == sorted(places) and places[-1] > 200
    for number in (0, 29):
        place, picture = places[number] // 3 * 3, shown[number, -194:]
        frame = restored[4][number]
        assert unlike(picture[:, : place - 3], frame[:, : place // 3 - 1]) < 12
        assert unlike(255 - picture[:, place + 6 :], frame[:, place // 3 + 2 :]) < 12


def test_the_border_goes_to_both_sides_and_never_out():
    places = [border(step / 10, 1000) for step in range(int(PERIOD * 10) + 1)]
    assert (min(places), max(places), places[0], places[-1]) == (50, 950, 500, 500)


def test_a_result_that_is_too_short_gives_no_clip(restored, tmp_path):
    source, description, timeline, _, frames = restored
    short = write_clip(tmp_path / "b.mp4", frames[:5, :64])
    with pytest.raises(RestorationError, match="30 frames were due and 5 came"):
        clips.write_clip(tmp_path / "c.mp4", "wipe", source, description, timeline, short, [], trimmed=False)
    assert not (tmp_path / "c.mp4").exists()
