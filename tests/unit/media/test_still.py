"""Still images: every kind of file and sample gives the picture that it means, or a word on why not."""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from media_factory import pictures, wishes
from restoration.errors import RestorationError
from restoration.media import still as module
from restoration.media.extract import extract
from restoration.media.kind import is_still
from restoration.media.looks import COLOURED
from restoration.media.probe import probe
from restoration.media.still import read_still

RGB = pictures(1, 56, 40)[0]
"""Odd to every turn: 56 wide, 40 high."""
ALPHA = np.tile(np.linspace(0, 255, 56).astype(np.uint8), (40, 1))
DEEP = np.random.default_rng(0).integers(0, 65536, (40, 56, 4)).astype(np.uint16)
DEEP[:8, :, :3] = 65535 - DEEP[:8, :, :3] // 512
"""16 bits of RGB and alpha, much of it near white."""
LOSSLESS = ("png", "tif", "webp", "bmp", "jp2")
QUARTERS = np.rint(DEEP / 257).astype(np.uint8)


def read(path, **chosen):
    """The picture as the frames job extracts it, and its description."""
    description, timeline = probe(path, wishes(**chosen))
    description = json.loads(json.dumps(description))
    (frame,) = extract(path, description, timeline, 0, 0)
    return frame, description


def saved(path, image, **options):
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(path, **{"webp": {"lossless": True}, "jp2": {"irreversible": False}}.get(path.suffix[1:], {}) | options)
    return path


def exif(orientation):
    tags = Image.Exif()
    tags[274] = orientation
    return tags


def write_tiff(path, samples, *, bits, photometric=1, planes=1, order=b"II*\0", **more):
    """An uncompressed TIFF of such *samples* (bytes), 56 by 40, as Pillow and OpenCV would not write it."""
    tags = ImageFileDirectory_v2(order + bytes(4))
    tags[256], tags[257], tags[258], tags[259], tags[262] = 56, 40, bits, 1, photometric
    tags[277], tags[278], tags[284] = len(bits), 40, planes
    count = len(bits) if planes == 2 else 1
    tags[279] = (len(samples) // count,) * count
    tags[273] = tuple(len(samples) // count * plane for plane in range(count))
    for tag, value in more.items():
        tags[int(tag[1:])] = value
    with path.open("wb") as handle:
        tags.save(handle)
        handle.write(samples)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "b.jpeg", "c.tif", "x/c.TIFF", "a.b.webp", "a.bmp", "a.Jp2"])
def test_stills_are_told_by_their_suffix(name):
    assert is_still(name) and is_still(Path(name))


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "png", ".png", "a.png.mkv", "a"])
def test_all_else_are_videos(name):
    assert not is_still(name)


def test_asking_loads_no_library():
    code = "import sys, restoration.pipeline.configuration; sys.exit(bool({'PIL', 'av', 'cv2'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "src"}, cwd=Path(__file__).parents[3])


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_are_exact(tmp_path, suffix):
    frame, description = read(saved(tmp_path / f"a.{suffix}", RGB))
    np.testing.assert_array_equal(frame, RGB)
    assert frame.flags.c_contiguous
    assert (description["still"], description["size"], description["frames"], description["shots"]) == (
        True, [56, 40], 1, [[0, 0]]
    )  # fmt: skip
    assert (description["notes"], description["damage"], description["reading"]["assumed"]) == ([], [], [])
    (stream,) = description["streams"]
    assert (stream["pixel_format"], stream["width"], stream["height"], stream["depth"]) == ("RGB", 56, 40, 8)
    assert (stream["alpha"], stream["orientation"], stream["pages"]) == (False, 1, 1)


@pytest.mark.parametrize("options", [{"quality": 90}, {"quality": 30, "progressive": True}, {"subsampling": 0}])
def test_jpeg_is_what_pillow_decodes(tmp_path, options):
    path = saved(tmp_path / "a.jpg", RGB, **options)
    np.testing.assert_array_equal(read(path)[0], np.asarray(Image.open(path)))


def test_content_counts_not_the_name(tmp_path):
    saved(tmp_path / "a.png", RGB).rename(tmp_path / "a.jpg")
    frame, description = read(tmp_path / "a.jpg")
    np.testing.assert_array_equal(frame, RGB)
    assert description["container"] == "png"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_all_orientations_stand_upright(tmp_path, suffix, orientation):
    path = saved(tmp_path / f"a.{suffix}", RGB, exif=exif(orientation))
    due = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    frame, description = read(path)
    np.testing.assert_array_equal(frame, due)
    assert description["size"] == ([40, 56] if orientation > 4 else [56, 40]) == list(due.shape[1::-1])
    assert description["reading"]["orientation"] == orientation
    assert (description["streams"][0]["width"], description["streams"][0]["height"]) == (56, 40)


def test_an_orientation_of_a_compressed_deep_tiff(tmp_path):
    image = Image.fromarray(DEEP[..., 0])
    path = saved(tmp_path / "a.tif", image, compression="tiff_lzw", exif=exif(6))
    np.testing.assert_array_equal(read(path)[0][..., 0], np.rot90(DEEP[..., 0], -1))
    samples = DEEP[..., :3].astype("<u2").tobytes()
    for orientation in range(2, 9):
        path = write_tiff(tmp_path / "b.tif", samples, bits=(16, 16, 16), photometric=2, t274=orientation)
        due = np.asarray(Image.open(saved(tmp_path / "c.tif", QUARTERS[..., :3].copy(), exif=exif(orientation))))
        # Not rounded: OpenCV fails over turned ones.
        assert np.abs(read(path)[0].astype(int) - due).max() <= 1
        assert np.abs(read(path)[0].astype(int) - due).mean() <= 0.5


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none(tmp_path, orientation):
    np.testing.assert_array_equal(read(saved(tmp_path / "a.png", RGB, exif=exif(orientation)))[0], RGB)


@pytest.mark.parametrize("rotation", ["0", "90", "180", "270"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_rotation_that_is_asked_for_replaces_the_files(tmp_path, suffix, rotation):
    path = saved(tmp_path / f"a.{suffix}", RGB, exif=exif(7))
    np.testing.assert_array_equal(read(path, rotation=rotation)[0], np.rot90(RGB, int(rotation) // 90))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_crop_is_one_of_stored_pixels(tmp_path, suffix):
    path = saved(tmp_path / f"a.{suffix}", RGB, exif=exif(6))
    frame, description = read(path, crop="30:20:10:5")
    np.testing.assert_array_equal(frame, np.rot90(RGB[5:25, 10:40], -1))
    assert description["reading"]["crop"] == [30, 20, 10, 5]
    with pytest.raises(RestorationError, match=r"crop 56:41:0:0 does not fit into the picture of 56x40"):
        read(path, crop="56:41:0:0")


def test_odd_modes_of_eight_bits_and_less(tmp_path):
    image, translucent = Image.fromarray(RGB), Image.fromarray(np.dstack([RGB, ALPHA]))
    kinds = {
        "one.png": image.convert("1"),
        "one.tif": image.convert("1"),
        "gray.png": image.convert("L"),
        "gray.jpg": image.convert("L"),
        "palette.png": image.quantize(17),
        "palette.bmp": image.quantize(17),
        "palette.tif": image.quantize(17),
        "rgba.png": translucent,
        "rgba.webp": translucent,
        "rgba.tif": translucent,
        "rgba.jp2": translucent,
        "la.png": translucent.convert("LA"),
        "la.tif": translucent.convert("LA"),
        "cmyk.tif": image.convert("CMYK"),
        "cmyk.jpg": image.convert("CMYK"),
        "ycbcr.tif": image.convert("YCbCr"),
        "lab.tif": image.convert("LAB"),
    }
    for name, kind in kinds.items():
        path = saved(tmp_path / name, kind)
        pixels = read(path)[0]
        np.testing.assert_array_equal(pixels[..., :3], np.asarray(Image.open(path).convert("RGB")), name)
        assert (pixels.shape[2] == 4) == (kind.mode in ("RGBA", "LA")), name
        if pixels.shape[2] == 4:
            np.testing.assert_array_equal(pixels[..., 3], ALPHA, name)


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_colours_that_count_as_transparent(tmp_path, mode):
    image = Image.fromarray(RGB).quantize(16) if mode == "P" else Image.fromarray(RGB).convert(mode)
    clear = image.getpixel((3, 4))
    path = saved(tmp_path / "a.png", image, transparency=clear)
    pixels, _ = read(path)
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(path).convert("RGBA")))
    assert pixels[4, 3, 3] == 0 and pixels[..., 3].max() == 255


def test_a_palette_with_partial_transparency(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(RGB).quantize(4), transparency=bytes([0, 100, 200, 255]))
    pixels, _ = read(path)
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(path).convert("RGBA")))
    assert len(np.unique(pixels[..., 3])) > 2


def assert_deep(path, due, depth=16):
    pixels, description = read(path)
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, np.dstack([due] * 3) if due.ndim == 2 else due)
    assert description["notes"] == []
    assert description["streams"][0]["depth"] == depth
    assert description["reading"]["assumed"] == []


@pytest.mark.parametrize("suffix", ["png", "tif", "jp2"])
def test_deep_gray_stays_deep(tmp_path, suffix):
    assert_deep(saved(tmp_path / f"a.{suffix}", DEEP[..., 0]), DEEP[..., 0])


def test_deep_gray_of_other_kinds(tmp_path):
    gray = DEEP[..., 0]
    assert_deep(write_tiff(tmp_path / "zero.tif", gray.tobytes(), bits=(16,), photometric=0), 65535 - gray)
    image = Image.frombytes("I;16B", (56, 40), gray.astype(">u2").tobytes())
    assert_deep(saved(tmp_path / "big.tif", image), gray)
    twelve = gray >> 4
    pairs = twelve.reshape(-1, 2).astype(np.uint32)
    packed = (pairs[:, 0] << 12 | pairs[:, 1]).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    assert_deep(write_tiff(tmp_path / "12.tif", packed, bits=(12,)), np.rint(twelve / 4095 * 65535), 12)


def test_deep_gray_with_a_transparent_value(tmp_path):
    path = saved(tmp_path / "a.png", DEEP[..., 0], transparency=int(DEEP[3, 4, 0]))
    alpha = np.where(DEEP[..., 0] == DEEP[3, 4, 0], 0, 65535)
    assert_deep(path, np.dstack([DEEP[..., 0]] * 3 + [alpha]))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", ["png", "tif", "jp2"])
def test_deep_colour_stays_deep(tmp_path, suffix, channels):
    path = tmp_path / f"a.{suffix}"
    order = [2, 1, 0, 3][:channels]
    cv2.imwrite(str(path), DEEP[..., order], [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
    assert_deep(path, DEEP[..., :channels])


@pytest.mark.parametrize(("order", "kind"), [(b"II*\0", "<u2"), (b"MM\0*", ">u2")])
def test_uncompressed_deep_colour(tmp_path, order, kind):
    samples = DEEP[..., :3].astype(kind).tobytes()
    assert_deep(write_tiff(tmp_path / "a.tif", samples, bits=(16,) * 3, photometric=2, order=order), DEEP[..., :3])


def test_deep_gray_with_alpha(tmp_path):
    rows = DEEP[..., 2:].astype(">u2")
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 56, 40, 16, 4, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    assert_deep(tmp_path / "a.png", DEEP[..., [2, 2, 2, 3]])


@pytest.mark.parametrize("pix_fmt", ["gray12le", "rgb48le", "gray16le", "gbrp12le"])
def test_jpeg_2000_tells_its_depth(tmp_path, pix_fmt):
    depth = 12 if "12" in pix_fmt else 16
    samples = (DEEP >> (16 - depth)).astype("<u2")
    context = av.CodecContext.create("jpeg2000", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 56, 40, pix_fmt, 1
    context.options = {"format": "jp2", "pred": "dwt53"}
    frame = av.VideoFrame(56, 40, pix_fmt)
    frame.pts = 0
    # Planes in the order green, blue, red; lines are padded.
    planes = [samples[..., :3].reshape(40, -1)] if "rgb4" in pix_fmt else [samples[..., i] for i in (1, 2, 0)]
    for plane, values in zip(frame.planes, planes, strict=False):
        plane.update(np.pad(values, ((0, 0), (0, plane.line_size // 2 - values.shape[1]))).tobytes())
    (tmp_path / "a.jp2").write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode()]))
    due = samples[..., 1] if "gray" in pix_fmt else samples[..., :3]
    assert_deep(tmp_path / "a.jp2", np.rint(due * (65535 / (2**depth - 1))), depth)


def test_premultiplied_colours_are_as_pillow_takes_them_apart(tmp_path):
    samples = (DEEP.astype(np.uint32) * np.array([1, 1, 1, 0]) * DEEP[..., 3:] // 65535).astype("<u2")
    samples[..., 3] = DEEP[..., 3]
    path = write_tiff(tmp_path / "a.tif", samples.tobytes(), bits=(16,) * 4, photometric=2, t338=1)
    np.testing.assert_array_equal(read_still(path).pixels, np.asarray(Image.open(path)))


def test_whole_numbers_of_32_bits_count_as_16_if_they_fit(tmp_path):
    path = saved(tmp_path / "a.tif", DEEP[..., 0].astype(np.int32))
    frame, description = read(path)
    np.testing.assert_array_equal(frame[..., 0], DEEP[..., 0])
    assert description["reading"]["assumed"] == ["white"]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (RGB[..., 0].astype(np.float32), "which floating-point sample is white; convert it to 16 bits"),
        (DEEP[..., 0].astype(np.int32) * 2, "which 32-bit sample is white; convert it to 16 bits"),
        (DEEP[..., 0].astype(np.int32) - 2000, "which 32-bit sample is white"),
    ],
)
def test_samples_without_a_known_white(tmp_path, image, message):
    with pytest.raises(RestorationError, match=rf"a\.tif: .*{message}"):
        read(saved(tmp_path / "a.tif", image))


def test_what_cannot_be_read_for_certain_is_an_error(tmp_path):
    planes = DEEP[..., :3].transpose(2, 0, 1).astype("<u2").tobytes()
    path = write_tiff(tmp_path / "a.tif", planes, bits=(16,) * 3, photometric=2, planes=2)
    with pytest.raises(RestorationError, match=r"a\.tif: 16-bit colours in separate planes cannot be read; save it"):
        read(path)
    path = write_tiff(tmp_path / "b.tif", planes, bits=(16,) * 3, photometric=8)
    with pytest.raises(RestorationError, match=r"b\.tif: cannot be read as an image \(of an unknown kind"):
        read(path)


def test_decoders_that_disagree_are_not_believed(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", RGB)
    cv2.imwrite(str(path), DEEP[..., :3])
    monkeypatch.setattr(cv2, "imread", lambda *arguments: DEEP[::-1, :, :3])
    with pytest.raises(RestorationError, match=r"a\.png: its 16-bit samples cannot be read with certainty"):
        read(path)


def test_colours_that_pillow_cannot_convert(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_in_rgb", lambda *arguments: Image.new("HSV", (1, 1)).convert("1;x"))
    with pytest.raises(RestorationError, match=r"a\.png: its colours cannot be read \(.*Convert it to RGB, 8 or 16"):
        read(saved(tmp_path / "a.png", RGB))


def gray_profile(gamma):
    """An ICC profile (ICC.1:2001, 6.3.3) for gray of this gamma."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    tags[b"kTRC"] = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"g\0" + bytes(78)
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    head = struct.pack(">II4s4s4s", 0, 0x02400000, b"mntr", b"GRAY", b"XYZ ") + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + struct.pack(">I", len(tags))
    return struct.pack(">I", 4 + len(head) + len(table) + len(body)) + head + table + body


def test_gray_is_made_srgb_by_its_profile(tmp_path):
    ramp = np.tile(np.arange(30, 254, 4, dtype=np.uint8), (40, 1))
    path = saved(tmp_path / "a.tif", ramp, icc_profile=gray_profile(1.0))
    frame, description = read(path)
    linear = ramp / 255
    due = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(frame[..., 0], due, atol=1.5)
    assert description["notes"] == ["the colours were converted to sRGB by the profile of the file"]


def test_deep_gray_is_made_srgb_by_its_profile(tmp_path):
    gray = np.arange(56 * 40, dtype=np.uint16).reshape(40, 56) * 29
    path = saved(tmp_path / "a.tif", gray, icc_profile=gray_profile(1.0))
    frame, description = read(path)
    linear = gray / 65535
    due = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 65535
    # Curves are those of 8 bits, steep where it is dark.
    assert np.abs(frame[..., 1] - due)[gray > 2000].max() < 1.5 * 257
    assert len(np.unique(frame[..., 1])) > 1000
    assert description["notes"] == ["the colours were converted to sRGB by the profile of the file"]


def test_a_profile_that_is_none(tmp_path):
    profile = b"\0" * 16 + b"CMYK" + b"\0" * 120
    path = saved(tmp_path / "a.tif", Image.fromarray(RGB).convert("CMYK"), icc_profile=profile)
    frame, description = read(path)
    np.testing.assert_array_equal(frame, np.asarray(Image.open(path).convert("RGB")))
    assert description["reading"]["assumed"] == ["profile"]
    first, second = description["notes"]
    assert "the colour profile cannot be used" in first
    assert second == "CMYK without a usable profile: its colours are a guess"


@pytest.mark.parametrize("suffix", ["tif", "webp", "png", "jpg"])
def test_the_first_of_many_pictures(tmp_path, suffix, caplog):
    caplog.set_level("INFO")
    others = [Image.fromarray(255 - RGB), Image.fromarray(RGB[::-1])]
    kind = {"format": "MPO"} if suffix == "jpg" else {}
    path = saved(tmp_path / f"a.{suffix}", RGB, save_all=True, append_images=others, **kind)
    frame, description = read(path)
    np.testing.assert_array_equal(frame, np.asarray(Image.open(path).convert("RGB")))
    assert np.abs(frame.astype(int) - RGB).mean() < 6
    assert description["notes"] == ["the file holds 3 pictures, of which the first is restored"]
    assert description["streams"][0]["pages"] == 3
    assert "NOTICE: the file holds 3 pictures" in caplog.text


SOFT = cv2.resize(np.random.default_rng(3).integers(0, 256, (60, 80, 3)).astype(np.uint8), (640, 480))


def cut(path, image=SOFT, share=0.6, **options):
    data = saved(path, image, **options).read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize(
    ("name", "options"), [("a.png", {}), ("a.jpg", {}), ("a.jpg", {"progressive": True}), ("a.bmp", {})]
)
def test_a_truncated_file_is_an_error_or_restored_as_far_as_it_goes(tmp_path, name, options, caplog):
    path = cut(tmp_path / name, **options)
    remedy = "Transfer it again, or restore what there is with ingest.truncated: restore"
    with pytest.raises(RestorationError, match=rf"{name}: the picture is truncated or damaged \(.*{remedy}"):
        read(path)
    with pytest.raises(RestorationError, match="the picture is truncated or damaged"):
        read(path, truncated="restore", strict=True)
    frame, description = read(path, truncated="restore")
    rows = slice(-150, None) if name == "a.bmp" else slice(None, 150)  # BMP begins at the bottom
    assert np.abs(frame[rows].astype(int) - SOFT[rows]).mean() < 20
    (damage,) = description["damage"]
    assert damage.startswith("the file is truncated or damaged (")
    assert f"DAMAGED: {damage}" in caplog.text
    # What was said of this file is not held against the next.
    with pytest.raises(RestorationError):
        read(path)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_a_truncated_tiff(tmp_path, compression):
    samples = Image.fromarray(SOFT)
    path = tmp_path / "a.tif"
    if compression == "raw":
        cut(path, samples)
    else:  # the directory of a compressed one lies at its end, so damage the middle
        data = bytearray(saved(path, samples, compression=compression).read_bytes())
        data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
        path.write_bytes(data)
    with pytest.raises(RestorationError, match=r"a\.tif: the picture is truncated or damaged"):
        read(path)
    frame, description = read(path, truncated="restore")
    np.testing.assert_array_equal(frame[:150], SOFT[:150])
    assert description["damage"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.jp2"])
@pytest.mark.parametrize("truncated", ["error", "restore"])
def test_a_file_of_which_nothing_is_left(tmp_path, name, truncated):
    data = saved(tmp_path / name, SOFT).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: data.index({"png": b"IDAT", "jpg": b"\xff\xda"}.get(name[2:], data[60:64])) + 10])
    with pytest.raises(RestorationError, match=rf"{name}: "):
        read(path, truncated=truncated)


def test_files_that_are_no_images(tmp_path):
    path = tmp_path / "a.png"
    for truncated in ("error", "restore"):
        with pytest.raises(RestorationError, match=r"a\.png: no such file"):
            read(path, truncated=truncated)
    path.symlink_to("nowhere")
    with pytest.raises(RestorationError, match=r"a\.png: the link leads nowhere"):
        read(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(RestorationError, match=r"a\.png: this is a folder"):
        read(path)
    path.rmdir()
    path.touch()
    with pytest.raises(RestorationError, match=r"a\.png: the file is empty"):
        read(path)
    for content in (
        b"This is no image.",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"II*\0" + bytes(50),
        b"GIF89a" + bytes(50),
    ):
        path.write_bytes(content)
        with pytest.raises(RestorationError, match=r"a\.png: cannot be read as an image"):
            read(path)


@pytest.mark.parametrize("excerpt", [{"start": 1.0}, {"end": 2.0}, {"start": 0.0}])
def test_an_excerpt_of_a_still_is_an_error(tmp_path, excerpt):
    with pytest.raises(RestorationError, match=r"a\.png: a still image has no start and end; leave those cells empty"):
        read(saved(tmp_path / "a.png", RGB), **excerpt)


def test_large_scans_are_no_attack(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("1", (20000, 12000)))
    assert Image.open(path).size == (20000, 12000)


def test_pictures_that_no_chunk_can_hold(tmp_path, monkeypatch):
    monkeypatch.setattr("restoration.frames.MOST_PIXELS", 30000)
    path = saved(tmp_path / "a.png", RGB)
    with pytest.raises(RestorationError, match=r"a picture of 56x40 is too large.*cut the source into parts"):
        read(path)


@pytest.mark.parametrize("change", ["pixel", "orientation"])
def test_a_changed_source_is_refused_with_a_remedy(tmp_path, change):
    path = saved(tmp_path / "a.png", RGB)
    source = path, *probe(path, wishes(rotation="auto"))
    picture = RGB.copy()
    picture[0, 0, 0] ^= 1
    saved(path, picture) if change == "pixel" else saved(path, np.rot90(RGB, 2).copy())
    with pytest.raises(RestorationError, match=r"a\.png: the image is not what it was.*snakemake --forcerun probe"):
        next(extract(*source, 0, 0))


def test_exif_that_cannot_be_read_costs_the_exif_only(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_exif", lambda image: 1 / 0)
    frame, description = read(saved(tmp_path / "a.png", RGB, exif=exif(6)))
    np.testing.assert_array_equal(frame, RGB)
    assert description["notes"] == ["EXIF cannot be read (division by zero)"]


def test_exif_and_text_after_the_picture_count(tmp_path):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Title", "late")
    path = saved(tmp_path / "a.png", RGB, pnginfo=chunks, exif=exif(3))
    data = path.read_bytes()
    for kind in (b"tEXt", b"eXIf"):
        begin = data.index(kind) - 4
        end = begin + 12 + int.from_bytes(data[begin : begin + 4], "big")
        data = data[:begin] + data[end:-12] + data[begin:end] + data[-12:]
    assert data.index(b"IDAT") < data.index(b"tEXt") < data.index(b"eXIf")
    path.write_bytes(data)
    still = read_still(path)
    assert (still.text, still.orientation) == ({"Title": "late"}, 3)


def test_the_timeline_tells_whether_a_still_has_colour(tmp_path):
    """Else photos in colour would be colorized."""
    _, coloured = probe(saved(tmp_path / "colour.png", RGB), wishes())
    _, gray = probe(saved(tmp_path / "gray.png", RGB[..., 1]), wishes())
    assert coloured.table["light"].item() == pytest.approx(RGB.mean(), abs=1)
    assert coloured.colours()[0] > COLOURED > gray.colours()[0]
