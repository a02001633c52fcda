"""Chunks: lossless, proved, atomic."""

import av
import numpy as np
import pytest

from media_factory import pictures
from restoration.errors import RestorationError
from restoration.frames import frame_hash
from restoration.media.chunks import hashes_path, read_chunk, read_hashes, read_pictures, write_chunk


def noise(count, height, width):
    return np.random.default_rng(height * width).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("count", "height", "width"), [(1, 48, 64), (7, 17, 33), (3, 2, 2), (2, 3, 300), (12, 90, 51)])
def test_round_trip_is_lossless(tmp_path, count, height, width):
    chunk, frames = tmp_path / "a.mkv", noise(count, height, width)
    write_chunk(chunk, iter(frames), expected=count)
    np.testing.assert_array_equal(list(read_chunk(chunk)), frames)
    assert read_hashes(chunk) == [frame_hash(frame) for frame in frames]
    assert names(tmp_path) == ["a.hashes", "a.mkv"]


def test_every_value_of_every_channel_survives(tmp_path):
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    for channel in range(3):
        frames[channel, ..., channel] = np.arange(256).reshape(16, 16)
    write_chunk(tmp_path / "a.mkv", frames, expected=3)
    np.testing.assert_array_equal(list(read_chunk(tmp_path / "a.mkv")), frames)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_of_all_kinds_are_kept_whole_and_read_as_frames(tmp_path, kind, channels):
    random = np.random.default_rng(channels)
    picture = random.integers(0, np.iinfo(kind).max + 1, (17, 13, channels)).astype(kind)
    write_chunk(tmp_path / "a.mkv", [picture], expected=1)
    (whole,), (frame,) = read_pictures(tmp_path / "a.mkv"), read_chunk(tmp_path / "a.mkv")
    np.testing.assert_array_equal(whole, picture)
    assert whole.dtype == kind and frame.dtype == np.uint8
    np.testing.assert_array_equal(frame, np.rint(picture[..., :3] * (255 / np.iinfo(kind).max)))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_what_frames_do_not_hold_comes_from_their_source(tmp_path, kind, channels):
    random = np.random.default_rng(channels)
    picture = random.integers(0, np.iinfo(kind).max + 1, (17, 13, channels)).astype(kind)
    source, target, same = (tmp_path / name for name in ("a.mkv", "b.mkv", "c.mkv"))
    write_chunk(source, [picture], expected=1)
    (frame,) = read_chunk(source)
    write_chunk(same, [frame], expected=1, source=source)
    np.testing.assert_array_equal(next(read_pictures(same)), picture)
    # One step of 8 bits is 257 of 16.
    write_chunk(target, [frame // 2 + 40], expected=1, source=source)
    result = next(read_pictures(target))
    due = picture[..., :3].astype(int) + (frame // 2 + 40 - frame.astype(int)) * (np.iinfo(kind).max // 255)
    np.testing.assert_array_equal(result[..., :3], due)
    np.testing.assert_array_equal(result[..., 3:], picture[..., 3:])


def test_frames_need_not_be_contiguous(tmp_path):
    frames = noise(4, 30, 20)[:, ::2, ::-1]
    write_chunk(tmp_path / "a.mkv", frames, expected=4)
    np.testing.assert_array_equal(list(read_chunk(tmp_path / "a.mkv")), frames)


def test_the_format_is_ffv1_3_with_checksums_and_key_frames_only(tmp_path):
    write_chunk(tmp_path / "a.mkv", pictures(5), expected=5)
    with av.open(tmp_path / "a.mkv") as container:
        stream = container.streams.video[0]
        assert (container.format.name, stream.codec_context.name) == ("matroska,webm", "ffv1")
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert all(packet.is_keyframe for packet in packets)
        assert [round(packet.pts * packet.time_base * 25) for packet in packets] == list(range(5))


@pytest.mark.parametrize("expected", [4, 6, 0])
def test_a_wrong_count_leaves_nothing(tmp_path, expected):
    with pytest.raises(RestorationError, match=rf"a\.mkv: {expected} frames were due, 5 came and 5 are in the file"):
        write_chunk(tmp_path / "a.mkv", pictures(5), expected=expected)
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError("boom"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_an_error_midway_leaves_nothing(tmp_path, error, after):
    def frames():
        yield from pictures(5)[:after]
        raise error

    with pytest.raises(type(error)):
        write_chunk(tmp_path / "a.mkv", frames(), expected=5)
    assert names(tmp_path) == []


def test_an_error_midway_keeps_the_old_chunk(tmp_path):
    chunk = tmp_path / "a.mkv"
    write_chunk(chunk, pictures(5), expected=5)
    with pytest.raises(RestorationError):
        write_chunk(chunk, 255 - pictures(4), expected=5)
    np.testing.assert_array_equal(list(read_chunk(chunk)), pictures(5))


def test_the_hash_list_is_there_before_the_chunk(tmp_path, monkeypatch):
    chunk = tmp_path / "a.mkv"
    order = []
    replace = type(chunk).replace
    monkeypatch.setattr(type(chunk), "replace", lambda self, to: (order.append(to.name), replace(self, to)))
    write_chunk(chunk, pictures(2), expected=2)
    assert order == ["a.hashes", "a.mkv"]


def test_fewer_packets_in_the_file_than_were_sent_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("restoration.media.chunks._count_packets", lambda path: 4)
    for expected in (4, 5):
        with pytest.raises(RestorationError, match="5 came and 4 are in the file; is the disk full"):
            write_chunk(tmp_path / "a.mkv", pictures(5), expected=expected)
    assert names(tmp_path) == []


def test_no_frames_at_all_is_an_error_to_read(tmp_path):
    with pytest.raises(RestorationError, match="5 frames were due, 0 came"):
        write_chunk(tmp_path / "a.mkv", [], expected=5)


def damaged(chunk, content):
    """What reading gives: frames, or the error's text."""
    chunk.write_bytes(content)
    try:
        return np.stack(list(read_chunk(chunk)))
    except RestorationError as error:
        return str(error)


def test_no_flipped_byte_changes_a_picture(tmp_path):
    chunk, frames = tmp_path / "a.mkv", pictures(3, 32, 24)
    write_chunk(chunk, frames, expected=3)
    good = chunk.read_bytes()
    first_frame = good.index(b"\x1fC\xb6u")  # the first cluster; before it, and in the index, much is decoration
    refused = 0
    positions = range(first_frame + 16, len(good) - 120, 61)
    for position in positions:
        content = good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :]
        result = damaged(chunk, content)
        if isinstance(result, str):
            assert result.startswith(f"{chunk}: ")
            assert "Delete the file and run again" in result
            refused += 1
        else:
            np.testing.assert_array_equal(result, frames)
    assert refused > 0.7 * len(positions)


def test_no_truncation_loses_a_picture(tmp_path):
    chunk, frames = tmp_path / "a.mkv", pictures(6)
    write_chunk(chunk, frames, expected=6)
    good = chunk.read_bytes()
    for length in range(0, len(good) - 200, len(good) // 23):
        result = damaged(chunk, good[:length])
        assert isinstance(result, str), length
        assert result.startswith(f"{chunk}: ")


def test_damaged_metadata_is_no_crash(tmp_path):
    chunk = tmp_path / "a.mkv"
    write_chunk(chunk, pictures(2), expected=2)
    good = chunk.read_bytes()
    position = good.index(b"ENCODER")
    damaged(chunk, good[:position] + b"\xc5" + good[position + 1 :])


@pytest.mark.parametrize("number", [0, 3, 5])
def test_another_hash_names_the_frame(tmp_path, number):
    chunk = tmp_path / "a.mkv"
    write_chunk(chunk, pictures(6), expected=6)
    lines = read_hashes(chunk)
    lines[number] = "0" * 32
    hashes_path(chunk).write_text("\n".join(lines))
    frames = read_chunk(chunk)
    for _ in range(number):
        next(frames)
    with pytest.raises(RestorationError, match=rf"a\.mkv: frame {number} of the chunk is not what was written"):
        next(frames)


@pytest.mark.parametrize(("change", "says"), [(-1, "frame 5 of the chunk is not"), (1, "6 frames instead of 7")])
def test_a_list_of_another_length_is_noticed(tmp_path, change, says):
    chunk = tmp_path / "a.mkv"
    write_chunk(chunk, pictures(6), expected=6)
    hashes_path(chunk).write_text("\n".join([*read_hashes(chunk), "0" * 32][: 6 + change]))
    with pytest.raises(RestorationError, match=says):
        list(read_chunk(chunk))


def test_size_is_part_of_the_hash():
    assert frame_hash(np.zeros((2, 3, 3), np.uint8)) != frame_hash(np.zeros((3, 2, 3), np.uint8))
    assert frame_hash(np.zeros((2, 3, 3), np.uint8)) == frame_hash(np.zeros((4, 6, 3), np.uint8)[::2, ::2])


def test_photographs_fit(tmp_path):
    picture = np.zeros((4600, 4800, 3), np.uint8)
    picture[::9, ::7] = 200
    write_chunk(tmp_path / "a.mkv", [picture], expected=1)
    np.testing.assert_array_equal(next(read_chunk(tmp_path / "a.mkv")), picture)


def test_pictures_that_are_too_large_are_refused_with_a_remedy(tmp_path):
    # Of a single byte: it would be gigabytes.
    picture = np.broadcast_to(np.uint8(0), (20000, 20000, 3))
    with pytest.raises(RestorationError, match=r"a picture of 20000x20000 is too large.*Lower upscale\.outscale"):
        write_chunk(tmp_path / "a.mkv", [picture], expected=1)
    assert not list(tmp_path.iterdir())
