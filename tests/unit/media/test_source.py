"""What a source's pixels mean, and how they become RGB."""

import av
import numpy as np
import pytest

from media_factory import INTRA, decoded, pictures, read_as, write_clip
from restoration.errors import RestorationError
from restoration.media.reading import choose_stream
from restoration.media.source import open_source

LOSSLESS = INTRA | {"crf": "0"}


def write_yuv(path, size, *, matrix=2, value_range=0, values=(120, 90, 200), codec="ffv1", pix_fmt="yuv444p"):
    """One frame of one YUV colour, tagged with codes of ITU-T H.273 (2 and 0: untagged)."""
    width, height = size
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, value_range
        planes = np.stack([np.full((height, width), value, np.uint8) for value in values])
        frame = av.VideoFrame.from_ndarray(planes, format="yuv444p")
        frame.colorspace, frame.color_range = matrix, value_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def expected_rgb(values, red, blue, full):
    """RGB of a YUV colour by the definition, with the luma weights of *red* and *blue* (ITU-R BT.601 and BT.709)."""
    y, u, v = values
    y, u, v = (
        (y / 255, (u - 128) / 255, (v - 128) / 255) if full else ((y - 16) / 219, (u - 128) / 224, (v - 128) / 224)
    )
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.array([r, g, b]) * 255, 0, 255)


BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)


@pytest.mark.parametrize(
    ("size", "matrix", "value_range", "meaning", "weights"),
    [
        ((64, 48), 1, 1, ("bt709", False, []), BT709),
        ((64, 48), 1, 2, ("bt709", True, []), BT709),
        ((64, 48), 5, 1, ("bt470bg", False, []), BT601),
        ((64, 48), 6, 2, ("smpte170m", True, []), BT601),
        ((16, 48), 2, 0, ("bt470bg", False, ["matrix", "range"]), BT601),
        ((16, 576), 2, 0, ("bt470bg", False, ["matrix", "range"]), BT601),
        ((16, 480), 2, 0, ("smpte170m", False, ["matrix", "range"]), BT601),
        ((16, 720), 2, 0, ("bt709", False, ["matrix", "range"]), BT709),
        ((16, 720), 5, 1, ("bt470bg", False, []), BT601),
    ],
)
def test_matrix_and_range(tmp_path, size, matrix, value_range, meaning, weights):
    path = write_yuv(tmp_path / "a.mkv", size, matrix=matrix, value_range=value_range)
    reading = read_as(path)
    said = [name for name in reading.assumed if name != "field_order"]
    assert (reading.matrix, reading.full_range, said) == meaning
    rgb = decoded(path)[0]
    assert rgb.shape == (size[1], size[0], 3)
    np.testing.assert_allclose(rgb.reshape(-1, 3).mean(0), expected_rgb((120, 90, 200), *weights, meaning[1]), atol=1)


def test_rgb_sources_come_through_untouched(tmp_path):
    frames = pictures(4, 33, 17)
    np.testing.assert_array_equal(
        decoded(write_clip(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="bgr0", bt709=False)), frames
    )


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotated_pictures_stand_upright(tmp_path, rotation):
    frames = pictures(3)
    lying = decoded(write_clip(tmp_path / "a.mp4", frames, options=LOSSLESS))
    upright = decoded(write_clip(tmp_path / "b.mp4", frames, options=LOSSLESS, rotation=rotation))
    # Display matrices turn counter-clockwise, as NumPy does.
    np.testing.assert_array_equal(upright, np.rot90(lying, rotation // 90, axes=(1, 2)))
    assert upright.flags.c_contiguous


@pytest.mark.parametrize(("width", "height"), [(33, 17), (64, 47), (1, 1)])
def test_odd_sizes_keep_every_line(tmp_path, width, height):
    path = write_clip(tmp_path / "a.mkv", pictures(2, width, height), codec="ffv1", pix_fmt="yuv444p")
    assert decoded(path).shape == (2, height, width, 3)


def test_the_same_decode_twice_is_the_same(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures())
    np.testing.assert_array_equal(decoded(path), decoded(path))


def test_a_cover_picture_is_no_video(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(path, "w") as container:
        sound = container.add_stream("aac", rate=48000, layout="mono")
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame(64, 64, "yuvj420p")
        frame.pts = 0
        container.mux(cover.encode(frame))
        container.mux(cover.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        silence.sample_rate = 48000
        container.mux(sound.encode(silence))
        container.mux(sound.encode())
    with open_source(path) as container:
        assert len(container.streams.video) == 1
        with pytest.raises(RestorationError, match=r"a\.mp4: there is no video in this file"):
            choose_stream(container, -1, str(path))


def test_errors_inside_are_those_of_whoever_caused_them(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(2))
    with pytest.raises(av.InvalidDataError, match=r"of something else"), open_source(path):
        raise av.InvalidDataError(1, "of something else")
