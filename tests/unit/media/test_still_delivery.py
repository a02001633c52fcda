"""Delivered images hold the restored picture, and all that the source says which still is true of it."""

import json
import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from media_factory import pictures, wishes
from restoration.errors import RestorationError
from restoration.media import still_delivery as module
from restoration.media.extract import extract
from restoration.media.mark import SOURCE_TYPE, read_mark
from restoration.media.probe import probe
from restoration.media.still import read_still
from restoration.media.still_delivery import deliver_still, still_delivery

RGB = pictures(1, 56, 40)[0]
ALPHA = cv2.GaussianBlur(np.where(np.arange(56) % 14 < 7, 255, 0).astype(np.uint8)[None].repeat(40, 0), (5, 5), 0)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6" dc="M\xc3\xbcller"/></rdf:RDF>'
    b"</x:xmpmeta>"
)
ARTIST = "Müller".encode()
EXIF, GPS = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
FORMATS = ("png", "jpg", "tif")


def exif_bytes(orientation=6):
    """EXIF of a camera, with a thumbnail in the second directory."""
    exif = Image.Exif()
    exif[271], exif[274], exif[315] = "Kodak", orientation, ARTIST
    exif[282] = exif[283] = 300.0
    exif[EXIF] = {0x9003: "1951:03:04 05:06:07", 0x829A: 0.008, 0xA002: 56, 0xA003: 40, 0x927C: b"maker's own"}
    exif[GPS] = {1: "N", 2: (48.0, 8.0, 15.0)}
    data = bytearray(exif.tobytes())
    thumbnail = BytesIO()
    Image.fromarray(RGB[::4, ::4]).save(thumbnail, "JPEG")
    (count,) = struct.unpack_from(">H", data, 14)
    begin = len(data) - 6
    struct.pack_into(">I", data, 16 + 12 * count, begin)
    entries = [(513, 4, 1, begin + 2 + 24 + 4), (514, 4, 1, len(thumbnail.getvalue()))]
    data += struct.pack(">H", 2) + b"".join(struct.pack(">HHII", *entry) for entry in entries) + bytes(4)
    return bytes(data) + thumbnail.getvalue()


def photograph(path, orientation=6, **options):
    """A picture by a camera that was held on its side, with everything that a file can say."""
    said = {
        "exif": exif_bytes(orientation),
        "icc_profile": PROFILE,
        "xmp": XMP,
        "dpi": (300, 300),
        "comment": "By hand",
    }
    image = Image.fromarray(RGB)
    if path.suffix == ".png":
        said["pnginfo"] = chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", said.pop("xmp"))
        chunks.add_text("Title", "Straße", zip=True)
    if path.suffix == ".tif":
        exif = Image.Exif()
        exif.load(said.pop("exif"))
        said["tiffinfo"] = {tag: exif[tag] for tag in (271, 274, 282, 283)} | {315: ARTIST, 700: said.pop("xmp")}
        said["tiffinfo"] |= {EXIF: dict(exif.get_ifd(EXIF)), GPS: dict(exif.get_ifd(GPS)), 33723: b"\x1c\2\x50\0\1a"}
    image.save(path, **said | options)
    return path


def delivered(tmp_path, source, suffix="png", *, scale=2, quality=None, mark=False, **chosen):
    """The delivered file of a picture enlarged bluntly, as an opened image, with frame and fates of the ledger."""
    description, timeline = probe(source, wishes(**chosen))
    description = json.loads(json.dumps(description))
    (frame,) = extract(source, description, timeline, 0, 0)
    frame = frame.repeat(scale, 0).repeat(scale, 1)
    target = tmp_path / "out" / f"result.{suffix}"
    ledger = deliver_still(target, frame, source, description, quality or (95 if suffix == "jpg" else None), mark=mark)
    assert not list(target.parent.glob(".*"))
    report = json.loads(json.dumps(still_delivery(target, source, description, ledger)))
    assert report["streams"][0] == {
        "stream": 0, "type": "video", "codec": description["container"], "fate": "restored", "reason": ""
    }  # fmt: skip
    image = Image.open(target)
    image.load()
    fates = {entry["type"]: (entry["fate"], entry["reason"]) for entry in report["streams"][1:]}
    assert len(fates) == len(report["streams"]) - 1
    return image, frame, fates, report


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_what_a_photograph_says_is_carried_over(tmp_path, name, suffix):
    image, frame, fates, report = delivered(tmp_path, photograph(tmp_path / name), suffix)
    assert (image.format, image.mode) == ({"jpg": "JPEG", "tif": "TIFF"}.get(suffix, "PNG"), "RGB")
    assert image.size == (80, 112) == frame.shape[1::-1]
    assert (np.abs(np.asarray(image).astype(int) - frame).mean() < 3) and (
        suffix == "jpg" or np.array_equal(image, frame)
    )
    kinds = {"EXIF", "ICC profile", "XMP"} | ({"resolution"} if name != "a.webp" else set())
    assert {kind for kind, (fate, _) in fates.items() if fate == "copied"} >= kinds
    assert image.info["icc_profile"] == PROFILE
    # When it turns a TIFF, Pillow takes the orientation away.
    assert image.info["xmp"] == XMP.replace(
        b'tiff:Orientation="6"', b"" if name == "a.tif" else b'tiff:Orientation="1"'
    )
    exif = image.getexif()
    assert (exif[271], exif.get(274, 1), exif[282]) == ("Kodak", 1, 300)
    assert exif[315].encode("latin-1") == ARTIST
    held = exif.get_ifd(EXIF)
    assert held.pop(0x927C).strip(b"\0") == b"maker's own"
    assert held == {0x9003: "1951:03:04 05:06:07", 0x829A: 0.008, 0xA002: 80, 0xA003: 112}
    assert exif.get_ifd(GPS) == {1: "N", 2: (48.0, 8.0, 15.0)}
    assert not exif.get_ifd(ExifTags.IFD.IFD1)
    if name != "a.webp":
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.02)
    assert report["result"]["size"] == [80, 112]
    assert report["proved"] == ["size", "look" if suffix == "jpg" else "every pixel", "ICC profile", "XMP"]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("deep", [False, True])
def test_the_mark_is_added_to_what_a_photograph_says(tmp_path, suffix, deep):
    source = photograph(tmp_path / "a.png")
    if deep:
        cv2.imwrite(str(source), RGB.astype(np.uint16) * 257)
    image, _, fates, _ = delivered(tmp_path, source, suffix, mark=True)
    assert read_mark(Path(image.filename)) == SOURCE_TYPE
    assert deep or (b'dc="M\xc3\xbcller"' in image.info["xmp"] and fates["XMP"] == ("copied", ""))


def test_the_mark_takes_the_place_of_a_packet_that_is_none(tmp_path):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", "no XMP at all")
    Image.fromarray(RGB).save(tmp_path / "a.png", pnginfo=chunks)
    image, _, fates, _ = delivered(tmp_path, tmp_path / "a.png", mark=True)
    assert read_mark(Path(image.filename)) == SOURCE_TYPE
    assert fates["XMP"] == ("dropped", "it is not what XMP should be")


@pytest.mark.parametrize(
    ("name", "suffix", "fate"),
    [
        ("a.png", "png", ("copied", "")),
        ("a.png", "jpg", ("dropped", "JPEG does not hold it; set encode.image: png")),
        ("a.png", "tif", ("dropped", "TIFF does not hold it; set encode.image: png")),
        ("a.jpg", "jpg", ("copied", "")),
        ("a.jpg", "png", ("copied", "")),
    ],
)
def test_text(tmp_path, name, suffix, fate):
    image, _, fates, _ = delivered(tmp_path, photograph(tmp_path / name), suffix)
    assert fates["text"] == fate
    if fate[0] == "copied":
        assert image.info.get("Title") == "Straße" or image.info.get("Comment", image.info.get("comment")) in (
            "By hand",
            b"By hand",
        )


def test_what_is_lost_is_named(tmp_path, caplog):
    _, _, fates, _ = delivered(tmp_path, photograph(tmp_path / "a.tif"))
    assert fates["IPTC"] == ("dropped", "it cannot be carried over")
    assert "IPTC is dropped: it cannot be carried over" in caplog.text
    Image.fromarray(RGB).save(tmp_path / "b.jp2")
    _, _, fates, _ = delivered(tmp_path, tmp_path / "b.jp2")
    assert fates == {"metadata": ("dropped", "of JPEG 2000 only the picture is read")}


def test_a_file_that_says_nothing_gets_nothing(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.bmp")
    for suffix in FORMATS:
        image, _, fates, _ = delivered(tmp_path, tmp_path / "a.bmp", suffix)
        assert {kind for kind in fates if kind != "resolution"} == set()
        assert not image.info.keys() & {"exif", "icc_profile", "xmp"}


def test_the_layout_of_a_tiff_is_not_that_of_the_result(tmp_path):
    Image.fromarray(RGB).convert("1").save(tmp_path / "a.tif", compression="group4", tiffinfo={270: "Ledger, page 3"})
    image, frame, _, _ = delivered(tmp_path, tmp_path / "a.tif", "tif", scale=1)
    np.testing.assert_array_equal(np.asarray(image), frame)
    assert (image.tag_v2[270], image.tag_v2[258], image.tag_v2[259]) == ("Ledger, page 3", (8, 8, 8), 1)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_alpha_is_that_of_the_picture(tmp_path, suffix):
    exif = Image.Exif()
    exif[274] = 7
    Image.fromarray(np.dstack([RGB, ALPHA])).save(tmp_path / "a.png", exif=exif)
    image, picture, fates, _ = delivered(tmp_path, tmp_path / "a.png", suffix, scale=3, crop="40:30:9:4")
    assert (image.mode, image.size, fates["alpha"]) == ("RGBA", (90, 120), ("copied", ""))
    np.testing.assert_array_equal(np.asarray(image), picture)
    np.testing.assert_array_equal(picture[::3, ::3, 3], np.rot90(ALPHA[4:34, 9:49].T, 2))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_stay_with_all_that_is_said(tmp_path, monkeypatch, suffix, channels):
    source = photograph(tmp_path / "a.png", orientation=6)  # Pillow writes none of 16 bits
    deep = np.random.default_rng(channels).integers(0, 65536, (40, 56, channels)).astype(np.uint16)
    description, _ = probe(source, wishes())
    target = tmp_path / f"b.{suffix}"
    monkeypatch.setattr(module, "seen", lambda *arguments: deep)
    ledger = deliver_still(target, deep, source, description, None)
    np.testing.assert_array_equal(read_still(target).pixels, deep)
    theirs = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)  # of whose orientation nothing may be left
    np.testing.assert_array_equal(theirs[..., [2, 1, 0, 3][:channels]], deep)
    shallow = tmp_path / f"c.{suffix}"
    monkeypatch.setattr(module, "seen", lambda *arguments: deep.astype(np.uint8))
    deliver_still(shallow, np.zeros_like(deep, np.uint8), source, description, None)
    said, due = read_still(target), read_still(shallow)
    assert said.profile == PROFILE and said.exif[315] and said.exif[EXIF][0x9003] == "1951:03:04 05:06:07"
    for still in (said, due):
        for layout in (258, 273, 279):  # bits, and where they are
            still.exif.pop(layout, None)
    for kind in ("exif", "profile", "xmp", "text", "dpi"):
        assert getattr(said, kind) == getattr(due, kind), kind
    assert {entry.type: entry.fate for entry in ledger}["16 bits"] == "copied"
    report = still_delivery(target, source, description, ledger)
    assert report["result"]["depth"] == 16 and "16 bits" in report["proved"]


@pytest.mark.parametrize("lost", [lambda deep: deep[..., :3], lambda deep: (deep // 257).astype(np.uint8)])
def test_what_was_lost_on_the_way_is_an_error(tmp_path, lost):
    deep = np.dstack([RGB, ALPHA]).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., [2, 1, 0, 3]])
    description, _ = probe(tmp_path / "a.png", wishes())
    with pytest.raises(RestorationError, match=r"the depth or the alpha of .*a\.png was lost on the way"):
        deliver_still(tmp_path / "b.png", lost(deep), tmp_path / "a.png", description, None)


def test_jpeg_has_no_sixteen_bits(tmp_path):
    deep = RGB.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    image, picture, fates, report = delivered(tmp_path, tmp_path / "a.png", "jpg", scale=1)
    assert fates["16 bits"] == ("dropped", "JPEG holds 8 bits a sample; set encode.image: png or tif")
    assert picture.dtype == np.uint16 and report["result"]["depth"] == 8
    assert np.abs(np.asarray(image).astype(int) - RGB).mean() < 3


def test_jpeg_has_no_alpha(tmp_path):
    Image.fromarray(np.dstack([RGB, ALPHA])).save(tmp_path / "a.png")
    image, frame, fates, _ = delivered(tmp_path, tmp_path / "a.png", "jpg")
    assert fates["alpha"] == ("dropped", "JPEG holds no transparency; set encode.image: png or tif")
    assert image.mode == "RGB" and np.abs(np.asarray(image).astype(int) - frame[..., :3]).mean() < 3


def test_quality_and_full_chroma(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    sizes = []
    for quality in (5, 60, 100):
        image, *_ = delivered(tmp_path, tmp_path / "a.png", "jpg", quality=quality)
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3
        sizes.append((tmp_path / "out" / "result.jpg").stat().st_size)
    assert sizes == sorted(set(sizes))


def test_profiles_for_other_spaces_stay_behind(tmp_path):
    profile = bytearray(PROFILE)
    profile[16:20] = b"GRAY"
    Image.fromarray(RGB).save(tmp_path / "a.png", icc_profile=bytes(profile))
    image, _, fates, _ = delivered(tmp_path, tmp_path / "a.png")
    assert fates["ICC profile"] == ("dropped", "it is one for GRAY, and the result is RGB")
    assert "icc_profile" not in image.info


def test_metadata_that_jpeg_has_no_room_for(tmp_path):
    photograph(tmp_path / "a.png", exif=Image.Exif().tobytes())
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", XMP + bytes(70000))
    exif = Image.Exif()
    exif[270] = "x" * 70000
    Image.fromarray(RGB).save(tmp_path / "a.png", pnginfo=chunks, exif=exif, icc_profile=PROFILE * 30)
    image, _, fates, _ = delivered(tmp_path, tmp_path / "a.png", "jpg")
    reason = "JPEG holds up to 64 kB of it; set encode.image: png or tif"
    assert fates == {"EXIF": ("dropped", reason), "XMP": ("dropped", reason), "ICC profile": ("copied", "")}
    assert image.info["icc_profile"] == PROFILE * 30
    _, _, fates, _ = delivered(tmp_path, tmp_path / "a.png", "tif")
    assert {fate for fate, _ in fates.values()} == {"copied"}


def test_exif_that_cannot_be_written(tmp_path, monkeypatch):
    source = photograph(tmp_path / "a.jpg")
    monkeypatch.setattr(module, "_exif", lambda tags: 1 / 0)
    _, _, fates, _ = delivered(tmp_path, source)
    assert fates["EXIF"] == ("dropped", "it cannot be written (division by zero)")


def test_sides_that_jpeg_has_no_room_for(tmp_path):
    Image.new("RGB", (66000, 2), "red").save(tmp_path / "a.png")
    with pytest.raises(RestorationError, match=r"JPEG holds up to 65500 pixels a side; set encode\.image: png or tif"):
        delivered(tmp_path, tmp_path / "a.png", "jpg", scale=1)
    assert delivered(tmp_path, tmp_path / "a.png", "tif", scale=1)[0].size == (66000, 2)


def test_a_source_that_changed_is_refused(tmp_path):
    source = photograph(tmp_path / "a.png")
    description, _ = probe(source, wishes())
    photograph(source, orientation=1)
    with pytest.raises(RestorationError, match=r"a\.png: the image is not what it was.*--forcerun probe"):
        deliver_still(tmp_path / "b.png", RGB, source, description, None)


def broken(change):
    """A writer that spoils the picture first."""
    save = Image.Image.save

    def spoiled(image, path, format, **options):
        save(*change(image, path, format), **options)

    return spoiled


def flipped(image, *rest):
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), *rest


@pytest.mark.parametrize(
    ("suffix", "change", "message"),
    [
        ("png", lambda image, *rest: (image.point(lambda value: value - (value == 235)), *rest), "the picture"),
        ("tif", flipped, "the picture"),
        ("jpg", flipped, "the picture"),
        ("png", lambda image, *rest: (image.resize((9, 9)), *rest), "the size, depth or alpha"),
        ("png", lambda image, *rest: (image.convert("RGBA"), *rest), "the size, depth or alpha"),
    ],
)
def test_a_file_that_is_not_what_was_put_in_gets_no_name(tmp_path, monkeypatch, suffix, change, message):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    description, _ = probe(tmp_path / "a.png", wishes())
    monkeypatch.setattr(Image.Image, "save", broken(change))
    with pytest.raises(RestorationError, match=rf"b\.{suffix}: {message}.* in the file is not what was put in"):
        deliver_still(tmp_path / f"b.{suffix}", RGB, tmp_path / "a.png", description, 95 if suffix == "jpg" else None)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("lost", ["icc_profile", "pnginfo"])
def test_a_file_that_lacks_what_was_put_in_gets_no_name(tmp_path, monkeypatch, lost):
    source = photograph(tmp_path / "a.png")
    save = Image.Image.save
    monkeypatch.setattr(
        Image.Image, "save", lambda image, *rest, **options: save(image, *rest, **options | {lost: None})
    )
    with pytest.raises(RestorationError, match=r"result\.png: the profile or XMP in the file is not what was put in"):
        delivered(tmp_path, source)


def test_a_truncated_source_is_delivered_as_far_as_it_goes(tmp_path):
    soft = cv2.resize(np.random.default_rng(3).integers(0, 256, (60, 80, 4)).astype(np.uint8), (640, 480))
    Image.fromarray(soft).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    image, _, fates, report = delivered(tmp_path, tmp_path / "a.png", truncated="restore", scale=1)
    np.testing.assert_array_equal(np.asarray(image)[:100], soft[:100])
    assert fates["alpha"][0] == "copied"
    assert "truncated" in report["damage"][0]
