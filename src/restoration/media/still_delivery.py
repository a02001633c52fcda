"""Delivery of a still image: the restored picture, with what the source says about itself."""

import io
import logging
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Picture, plain
from restoration.media.identity import sha256
from restoration.media.looks import look
from restoration.media.mark import marked
from restoration.media.passthrough import Entry
from restoration.media.proof import LIKENESS
from restoration.media.still import IPTC_TAGS, XMP_TEXT, Still, read_still, seen, swapped

logger = logging.getLogger(__name__)

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF"}
LONGEST_SIDE, LONGEST_SEGMENT = 65500, 65504
"""Pixels and, of one kind of metadata, bytes that JPEG holds."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_TAG, ICC_TAG = 700, 34675
RGB, INCH, UNASSOCIATED_ALPHA = 2, 2, 2
"""TIFF's numbers for colours, unit of resolution and alpha."""
APART = {ICC_TAG, 37724} | IPTC_TAGS
"""Tags above that which are not EXIF: profile, and layers of Photoshop."""
DESCRIBING = {269, 270, 271, 272, 274, 282, 283, 285, 296, 301, 305, 306, 315, 316, 318, 319}
"""Tags below that which do not tell how the samples of the old file were laid out."""
SIZE_TAGS = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
PROVED = ("alpha", "16 bits", "ICC profile", "XMP")
XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[0-9]')


def deliver_still(
    target: Path,
    picture: Picture,
    source: Path,
    description: dict[str, Any],
    quality: int | None,
    *,
    mark: bool = False,
    seal: Callable[[Path], None] = lambda path: None,
) -> list[Entry]:
    """Write the restored *picture* of the image *source*, of which *description* (the probe's) tells, with all else
    that *source* holds; *quality*, 1 to 100, is that of JPEG. With *mark* its XMP says that networks had a part in the
    picture; *seal* is what is done to the whole file last, in place.

    The suffix of *target* tells the format: .png, .jpg or .tif. The file is read back and must hold the very pixels (in
    JPEG: pixels that look like them), alpha, profile and XMP, or RestorationError is raised and no target appears.
    Gives the ledger of what *source* holds.
    """
    if sha256(source) != description["source"]["sha256"]:
        raise RestorationError(
            f"{source}: the image is not what it was when it was probed. Run `snakemake --forcerun probe` to look at "
            "it anew."
        )
    format = FORMATS[target.suffix]
    size = picture.shape[1], picture.shape[0]
    if format == "JPEG" and max(size) > LONGEST_SIDE:
        raise RestorationError(f"{target}: JPEG holds up to {LONGEST_SIDE} pixels a side; set encode.image: png or tif")
    still = read_still(source, truncated=description["reading"]["truncated"])
    ledger = [Entry(0, "video", still.format.lower(), "restored")]
    due = seen(still, description["reading"])
    if (picture.dtype, picture.shape[2]) != (due.dtype, due.shape[2]):
        raise RestorationError(f"{target}: the depth or the alpha of {source} was lost on the way; please report this")
    for kind, there, lack in (
        ("alpha", picture.shape[2] == 4, "no transparency"),
        ("16 bits", picture.dtype == np.uint16, "8 bits a sample"),
    ):
        if there:
            _noted(ledger, kind, f"JPEG holds {lack}; set encode.image: png or tif" * (format == "JPEG"))
    picture = plain(picture) if format == "JPEG" else picture
    said = _said(still, format, size, ledger, mark=mark)
    coding = {"quality": quality, "subsampling": "4:4:4"} if format == "JPEG" else {}
    with atomic(target) as temporary:
        if picture.dtype == np.uint16:
            temporary.write_bytes(DEEP[format](picture, options_of(said, format)))
        else:
            Image.fromarray(picture).save(temporary, format, **options_of(said, format), **coding)
        seal(temporary)
        prove_still(temporary, target, picture, said)
    return ledger


def still_delivery(path: Path, source: Path, description: dict[str, Any], ledger: list[Entry]) -> dict[str, Any]:
    """Describe the proved image *path*, made from *source*, as `restoration.media.delivery.delivery` does a video."""
    with Image.open(path) as image:
        found = {
            "name": path.name,
            "bytes": path.stat().st_size,
            "container": (image.format or "").lower(),
            "pixel_format": image.mode,
            "depth": 16 if Entry(0, "16 bits", None, "copied") in ledger else 8,
            "size": list(image.size),
        }
        look = "look" if image.format == "JPEG" else "every pixel"
    return {
        "source": {"name": source.name, **description["source"]},
        "result": found,
        "frames": description["frames"],
        "reading": description["reading"],
        "notes": description["notes"],
        "damage": description["damage"],
        "streams": [asdict(entry) for entry in ledger],
        "proved": ["size", look, *(entry.type for entry in ledger if entry.type in PROVED and entry.fate == "copied")],
    }


def _noted(ledger: list[Entry], kind: str, problem: str = "") -> bool:
    """Put on the *ledger* whether something of the source is carried over or, for a *problem*, dropped."""
    ledger.append(Entry(0, kind, None, "dropped" if problem else "copied", problem))
    if problem:
        logger.warning("%s is dropped: %s", kind, problem)
    return not problem


def _said(
    still: Still, format: str, size: tuple[int, int], ledger: list[Entry], *, mark: bool = False
) -> dict[str, Any]:
    """What *still* says about itself and a result of this *format* and *size* can hold: exif (tags), profile, xmp
    (bytes), text (by key) and dpi."""
    said: dict[str, Any] = {}
    if tags := _described(still.exif, size):
        data, problem = b"", ""
        try:
            data = _exif(tags)
        except Exception as error:  # of any type, at tags that break EXIF's rules
            problem = f"it cannot be written ({error})"
        if _noted(ledger, "EXIF", problem or _too_long(data, format)):
            said["exif"] = tags
    if still.profile:
        space = still.profile[16:20].decode("ascii", "replace").strip()
        if _noted(ledger, "ICC profile", f"it is one for {space}, and the result is RGB" * (space != "RGB")):
            said["profile"] = still.profile
    if still.xmp:
        xmp = XMP_ORIENTATION.sub(rb"\g<1>1", still.xmp)
        merged = marked(xmp) if mark else xmp
        if _noted(ledger, "XMP", _too_long(merged, format) if merged else "it is not what XMP should be"):
            said["xmp"] = merged
    if mark:
        said.setdefault("xmp", marked())
    if still.text:
        fits = format == "PNG" or (format == "JPEG" and still.text.keys() == {"Comment"})
        if _noted(ledger, "text", f"{format} does not hold it; set encode.image: png" * (not fits)):
            said["text"] = still.text
    if still.dpi:
        _noted(ledger, "resolution")
        said["dpi"] = still.dpi
    if still.iptc:
        _noted(ledger, "IPTC", "it cannot be carried over")
    if still.format == "JPEG2000":
        _noted(ledger, "metadata", "of JPEG 2000 only the picture is read")
    return said


def _described(exif: dict[int, Any], size: tuple[int, int]) -> dict[int, Any]:
    """The tags of *exif* that are still true of an upright result of this *size*, width and height."""
    tags = {tag: value for tag, value in exif.items() if tag in DESCRIBING or (tag > XMP_TAG and tag not in APART)}
    if ExifTags.Base.Orientation in tags:
        tags[ExifTags.Base.Orientation] = 1
    if held := tags.get(ExifTags.IFD.Exif):
        sizes = dict(zip(SIZE_TAGS, size, strict=True))
        tags[ExifTags.IFD.Exif] = held | {tag: length for tag, length in sizes.items() if tag in held}
    return cast(dict[int, Any], _exact(tags))


def _exact(value: Any) -> Any:
    """EXIF's *value*, or mapping of values, with text as the bytes that it was: Pillow reads any as Latin-1 and writes
    ASCII only."""
    if isinstance(value, dict):
        return {tag: _exact(inner) for tag, inner in value.items()}
    return value.encode("latin-1") if isinstance(value, str) and not value.isascii() else value


def _exif(tags: dict[int, Any]) -> bytes:
    exif = Image.Exif()
    exif.update(tags)
    return exif.tobytes()


def _too_long(data: bytes, format: str) -> str:
    return "JPEG holds up to 64 kB of it; set encode.image: png or tif" * (
        format == "JPEG" and len(data) > LONGEST_SEGMENT
    )


def options_of(said: dict[str, Any], format: str) -> dict[str, Any]:
    """What is *said* of a picture (exif, profile, xmp, text, dpi), as Pillow's options for writing."""
    tags, xmp, text = said.get("exif", {}), said.get("xmp", b""), said.get("text", {})
    options = {"icc_profile": said.get("profile"), "dpi": said.get("dpi")}
    if format == "TIFF":
        # As it is: libtiff would compress, and stumbles over tags that it does not know.
        options["tiffinfo"] = tags | ({XMP_TAG: xmp} if xmp else {})
        options["dpi"] = None if ExifTags.Base.XResolution in tags else said.get("dpi")
    elif tags:
        options["exif"] = _exif(tags)
    if format == "JPEG":
        options |= {"xmp": xmp, "comment": text.get("Comment")}
    if format == "PNG":
        options["pnginfo"] = chunks = PngImagePlugin.PngInfo()
        for key, value in text.items():
            chunks.add_text(key, value)
        if xmp:
            chunks.add_itxt(XMP_TEXT, xmp)
    return {name: value for name, value in options.items() if value}


def _deep_png(picture: Picture, options: dict[str, Any]) -> bytes:
    """A PNG file of uint16 RGB or RGBA: what Pillow, which knows none, says of a picture, around OpenCV's samples."""
    said = io.BytesIO()
    Image.new("RGB", (1, 1)).save(said, "PNG", **options)
    samples = dict[bytes, list[bytes]]()
    for kind, data in _chunks(cv2.imencode(".png", swapped(picture))[1].tobytes()):
        samples.setdefault(kind, []).append(data)
    file = io.BytesIO()
    file.write(PNG_SIGNATURE)
    for kind, data in _chunks(said.getvalue()):
        for own in samples.get(kind, [data]):
            PngImagePlugin.putchunk(file, kind, own)
    return file.getvalue()


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of the parts of a PNG file (ISO 15948, 5.3)."""
    at = len(PNG_SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at + 8 : at + 8 + length]
        at += length + 12


def _deep_tiff(picture: Picture, options: dict[str, Any]) -> bytes:
    """A TIFF file of uint16 RGB or RGBA, as Pillow would write it if it knew such pictures: not compressed."""
    height, width, channels = picture.shape
    tags: dict[int, Any] = dict(options.get("tiffinfo", {}))
    if "icc_profile" in options:
        tags[ICC_TAG] = options["icc_profile"]
    if "dpi" in options:
        across, down = options["dpi"]
        tags |= {ExifTags.Base.ResolutionUnit: INCH, ExifTags.Base.XResolution: across, ExifTags.Base.YResolution: down}
    tags |= {
        ExifTags.Base.ImageWidth: width,
        ExifTags.Base.ImageLength: height,
        ExifTags.Base.BitsPerSample: (16,) * channels,
        ExifTags.Base.Compression: 1,
        ExifTags.Base.PhotometricInterpretation: RGB,
        ExifTags.Base.SamplesPerPixel: channels,
        ExifTags.Base.RowsPerStrip: height,
        ExifTags.Base.StripOffsets: 0,  # which `save` corrects
        ExifTags.Base.StripByteCounts: picture.nbytes,
        ExifTags.Base.PlanarConfiguration: 1,
    }
    if channels == 4:
        tags[ExifTags.Base.ExtraSamples] = UNASSOCIATED_ALPHA
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        directory[tag] = value
    file = io.BytesIO()
    directory.save(file)
    return file.getvalue() + picture.astype("<u2").tobytes()


DEEP = {"PNG": _deep_png, "TIFF": _deep_tiff}


def prove_still(path: Path, target: Path, picture: Picture, said: dict[str, Any]) -> None:
    """Read *path* back; RestorationError about *target* unless it holds *picture* and what is *said*."""
    found = read_still(path)
    if (found.pixels.shape, found.pixels.dtype) != (picture.shape, picture.dtype):
        raise RestorationError(f"{target}: the size, depth or alpha in the file is not what was put in")
    if found.format == "JPEG":
        alike = np.abs(look(plain(found.pixels)).astype(int) - look(plain(picture))).max() <= LIKENESS
    else:
        alike = np.array_equal(found.pixels, picture)
    if not alike:
        raise RestorationError(f"{target}: the picture in the file is not what was put in")
    if (found.profile, found.xmp) != (said.get("profile", b""), said.get("xmp", b"")):
        raise RestorationError(f"{target}: the profile or XMP in the file is not what was put in")
