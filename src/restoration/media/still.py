"""Still images as sources: inside they are videos of one frame.

Pillow reads them, because FFmpeg leaves out profiles and most of what describes a picture.
"""

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, TiffImagePlugin, UnidentifiedImageError

from restoration.errors import RestorationError
from restoration.frames import STEP, Picture, eight_bits, frame_hash, plain, require_room
from restoration.media.identity import identify
from restoration.media.looks import colourfulness, content_box, light_and_change, look
from restoration.media.reading import crop_box
from restoration.media.source import require_file
from restoration.media.timeline import Timeline

logger = logging.getLogger(__name__)

Image.MAX_IMAGE_PIXELS = None  # a limit against malice; archives scan large
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "JPEG2000")
"""By content, whatever the name says."""
ORIENTATIONS = {
    1: (False, 0), 2: (True, 0), 3: (False, 2), 4: (True, 2), 5: (True, 1), 6: (False, 3), 7: (True, 3), 8: (False, 1)
}  # fmt: skip
"""EXIF's orientations: whether to mirror the stored picture left to right, then how many quarter turns to turn it
counter-clockwise, so that it stands upright."""
ROTATIONS = {"0": 1, "90": 8, "180": 3, "270": 6}
"""EXIF's number of each `ingest.rotation`."""
SUB_IFDS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
XMP_TEXT = "XML:com.adobe.xmp"
OTHERWISE_READ = {XMP_TEXT, "Raw profile type exif"}
"""Keys of texts in PNG files that hold EXIF and XMP."""
IPTC_TAGS = {33723, 34377}
"""Tags that TIFF has for IPTC, and for Photoshop's block around it."""
MOST_DPI = 2**16
"""What JPEG has room for."""
SEPARATE = 2
"""TIFF's number for colours in planes."""
SPACES = {"1": b"GRAY", "L": b"GRAY", "LA": b"GRAY", "CMYK": b"CMYK"}
"""The colour space (ICC.1, 7.2.6) of profiles through which pictures of Pillow's modes are made RGB."""
SIZ, SIZ_DEPTH, HEAD_BYTES = b"\xff\x4f\xff\x51", 42, 2**20
"""Where a JPEG 2000 codestream (ISO 15444-1, A.5.1) tells how deep its samples are, and how far to look for it."""


@dataclass(frozen=True)
class Still:
    """A still image as it is stored, and what the file says beside it.

    *pixels* is RGB or RGBA, uint16 if *depth* is more than 8 and all of it can be read, to be laid upright by
    *orientation*, EXIF's number; *depth* the bits of a sample in the file; *pages* how many pictures there are, this
    being the first. *exif* maps tags to values, those of sub-IFDs to mappings; *dpi* is horizontal and vertical; *iptc*
    says only whether there is some. *notes* tell what reading cost, *assumed* what the file does not say.
    """

    format: str
    mode: str
    depth: int
    pages: int
    orientation: int
    pixels: Picture
    exif: dict[int, Any]
    profile: bytes
    xmp: bytes
    text: dict[str, str]
    dpi: tuple[float, float] | None
    iptc: bool
    notes: list[str]
    assumed: list[str]


def probe_still(path: Path, wishes: dict[str, Any]) -> tuple[dict[str, Any], Timeline]:
    """Read the image *path* once; give its description and timeline, as `restoration.media.probe.probe` does.

    Of the *wishes* `rotation` and `crop` hold for stills, and `truncated` and `strict` for damaged ones.
    """
    if wishes["start"] is not None or wishes["end"] is not None:
        raise RestorationError(f"{path}: a still image has no start and end; leave those cells empty")
    damage = list[str]()
    try:
        still = read_still(path)
    except RestorationError as error:
        if wishes["truncated"] == "error" or wishes["strict"]:
            raise
        still = read_still(path, truncated=True)
        damage.append(f"the file is truncated or damaged ({error.__cause__})")
    height, width = still.pixels.shape[:2]
    reading = {
        "orientation": still.orientation if wishes["rotation"] == "auto" else ROTATIONS[wishes["rotation"]],
        "crop": crop_box(wishes["crop"], width, height, str(path)),
        "truncated": bool(damage),
        "assumed": still.assumed,
    }
    picture = seen(still, reading)
    frame = plain(picture)
    require_room(*frame.shape[:2])
    light, change = light_and_change([look(frame)])
    colour = [colourfulness(frame)]
    timeline = Timeline.build(
        Fraction(1, 25), [0], 1, [], [frame_hash(picture)], light=light, change=change, colour=colour
    )
    for note in damage:
        logger.warning("DAMAGED: %s", note)
    for note in still.notes:
        logger.info("NOTICE: %s", note)
    codec = still.format.lower()
    return {
        "source": identify(path, wishes, str(path)),
        "container": codec,
        "still": True,
        "streams": [
            {
                "index": 0,
                "type": "video",
                "codec": codec,
                "pixel_format": still.mode,
                "width": width,
                "height": height,
                "depth": still.depth,
                "alpha": picture.shape[2] == 4,
                "orientation": still.orientation,
                "pages": still.pages,
            }
        ],
        "reading": reading,
        "size": [frame.shape[1], frame.shape[0]],
        "content": content_box(frame.max(axis=2)),
        "time_base": str(timeline.time_base),
        "times_invented": 0,
        "frames": 1,
        "duplicates": 0,
        "shots": timeline.shots(),
        "damage": damage,
        "notes": still.notes,
    }, timeline


def extract_still(path: Path, description: dict[str, Any], timeline: Timeline) -> Picture:
    """The picture of *path*, read as its *description* says; RestorationError if it is not what was probed."""
    reading = description["reading"]
    picture = seen(read_still(path, truncated=reading["truncated"]), reading)
    if frame_hash(picture) != timeline.table["hash"].iloc[0]:
        raise RestorationError(
            f"{path}: the image is not what it was when it was probed. Run `snakemake --forcerun probe` to look at it "
            "anew."
        )
    return picture


def read_still(path: Path, *, truncated: bool = False) -> Still:
    """Read the first picture of an image file; with *truncated* as far as it goes.

    RestorationError says what is wrong with the file.
    """
    require_file(path)
    ImageFile.LOAD_TRUNCATED_IMAGES = truncated
    with _explained(path, "cannot be read as an image", "Save it as PNG or TIFF, RGB, 8 or 16 bits deep"):
        image = Image.open(path, formats=FORMATS)
    notes, assumed, exif = list[str](), list[str](), dict[int, Any]()
    with image:
        format, mode = image.format or "", image.mode
        # Before the pixels, because reading those of a TIFF lays them upright and forgets the orientation.
        try:
            exif = _exif(image)
        except Exception as error:
            notes.append(f"EXIF cannot be read ({error})")
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        orientation = orientation if orientation in ORIENTATIONS else 1
        with _explained(
            path,
            "the picture is truncated or damaged",
            "Transfer it again, or restore what there is with ingest.truncated: restore",
        ):
            depth, pages = _depth(image, path), getattr(image, "n_frames", 1)
            _load(image, truncated)
        with _explained(path, "its colours cannot be read", "Convert it to RGB, 8 or 16 bits deep"):
            pixels = _pixels(image, path, depth, notes, assumed)
        if format == "TIFF":
            pixels = laid_down(pixels, orientation)
        if depth > 8 and mode in ("RGB", "RGBA") and not truncated and not _is_beyond_opencv(image, orientation):
            pixels = _deep(pixels, path, depth)
        said = _said(image, exif)
    if truncated and (pixels == pixels[0, 0]).all():
        raise RestorationError(f"{path}: nothing of the picture can be decoded")
    if depth > 8 and pixels.dtype == np.uint8:
        notes.append(f"{depth}-bit samples became 8-bit: in a file of this kind they cannot be read whole")
    if pages > 1:
        notes.append(f"the file holds {pages} pictures, of which the first is restored")
    return Still(format, mode, depth, pages, orientation, pixels, exif, **said, notes=notes, assumed=assumed)


def seen(still: Still, reading: dict[str, Any]) -> Picture:
    """The picture that a description's *reading* makes of a still."""
    pixels = still.pixels
    if reading["crop"]:
        width, height, left, top = reading["crop"]
        pixels = pixels[top : top + height, left : left + width]
    return cast(Picture, np.ascontiguousarray(upright(pixels, reading["orientation"])))


def upright(pixels: Picture, orientation: int) -> Picture:
    """Stored *pixels* as EXIF's *orientation* wants them to be seen."""
    mirrored, turns = ORIENTATIONS[orientation]
    return np.rot90(pixels[:, ::-1] if mirrored else pixels, turns)


def laid_down(pixels: Picture, orientation: int) -> Picture:
    """Upright *pixels* as they are stored: undoes `upright`."""
    mirrored, turns = ORIENTATIONS[orientation]
    turned = np.rot90(pixels, -turns)
    return turned[:, ::-1] if mirrored else turned


@contextmanager
def _explained(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Turn what Pillow raises at files that it cannot read into RestorationError: *what* is wrong, and a *remedy*."""
    try:
        yield
    except (RestorationError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise RestorationError(f"{path}: {what} (of an unknown kind, or damaged at its beginning). {remedy}") from error
    # Damage shows as errors of any type.
    except Exception as error:
        raise RestorationError(f"{path}: {what} ({getattr(error, 'strerror', None) or error}). {remedy}") from error


def _load(image: Image.Image, truncated: bool) -> None:
    try:
        image.load()
    except OSError:
        if not truncated:
            raise
        image.load()  # libtiff complains once, and keeps what it has


def _depth(image: Image.Image, path: Path) -> int:
    """Bits of a sample."""
    if image.format == "TIFF":
        return max(_tags(image).get(ExifTags.Base.BitsPerSample, (1,)))
    with path.open("rb") as handle:
        head = handle.read(HEAD_BYTES)
    if image.format == "PNG":
        return head[24]
    if image.format == "JPEG2000":
        return (head[head.index(SIZ) + SIZ_DEPTH] & 0x7F) + 1
    return 8


def _exif(image: Image.Image) -> dict[int, Any]:
    """All of EXIF but the thumbnail."""
    exif = image.getexif()
    held = {ifd: dict(exif.get_ifd(ifd)) for ifd in SUB_IFDS}
    if ExifTags.IFD.Interop in held[ExifTags.IFD.Exif]:
        held[ExifTags.IFD.Exif][ExifTags.IFD.Interop] = dict(exif.get_ifd(ExifTags.IFD.Interop))
    # Where the file has a sub-IFD, what stands for it is its offset.
    return dict(exif) | {ifd: tags for ifd, tags in held.items() if tags}


def _said(image: Image.Image, exif: dict[int, Any]) -> dict[str, Any]:
    """What a loaded *image* says about itself beside *exif*."""
    info = image.info
    xmp = info.get("xmp") or info.get(XMP_TEXT) or b""
    text = {key: value for key, value in getattr(image, "text", {}).items() if key not in OTHERWISE_READ}
    if image.format in ("JPEG", "MPO") and "comment" in info:
        text["Comment"] = info["comment"].decode("latin-1")
    dpi = tuple(map(float, info.get("dpi", ())))
    return {
        "profile": info.get("icc_profile") or b"",
        "xmp": xmp.encode() if isinstance(xmp, str) else xmp,
        "text": text,
        "dpi": dpi if len(dpi) == 2 and all(0 < density < MOST_DPI for density in dpi) else None,
        "iptc": "photoshop" in info or not IPTC_TAGS.isdisjoint(exif),
    }


def _is_beyond_opencv(image: Image.Image, orientation: int) -> bool:
    """Whether it is a TIFF of a kind that OpenCV gets wrong: turned, or with the alpha in the colours."""
    return image.format == "TIFF" and (orientation != 1 or _tags(image).get(ExifTags.Base.ExtraSamples) == (1,))


def _tags(image: Image.Image) -> Mapping[int, Any]:
    return image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}


def _pixels(image: Image.Image, path: Path, depth: int, notes: list[str], assumed: list[str]) -> Picture:
    """The loaded *image*; its colours, if they are deep, without the lower bits."""
    if depth > 8 and _tags(image).get(ExifTags.Base.PlanarConfiguration) == SEPARATE:
        raise RestorationError(
            f"{path}: {depth}-bit colours in separate planes cannot be read; save it with those of a pixel side by side"
        )
    if image.mode == "F":
        raise RestorationError(f"{path}: it is unknown which floating-point sample is white; convert it to 16 bits")
    if image.mode.startswith("I"):
        return _deep_gray(image, path, depth, notes, assumed)
    rgb = np.asarray(_in_rgb(image, image.info.get("icc_profile") or b"", notes, assumed))
    if not image.has_transparency_data:
        return rgb
    return np.dstack([rgb, np.asarray(image.convert("RGBA").getchannel("A"))])


def _deep_gray(image: Image.Image, path: Path, depth: int, notes: list[str], assumed: list[str]) -> NDArray[np.uint16]:
    """A picture of gray samples deeper than 8 bits."""
    samples = np.asarray(image)
    if samples.min() < 0 or samples.max() > 0xFFFF:
        raise RestorationError(f"{path}: it is unknown which {depth}-bit sample is white; convert it to 16 bits")
    if image.mode == "I":
        assumed.append("white")  # these would be signed or 32 bits long, and are neither in fact
    depth = min(depth, 16)
    # Pillow scales those of JPEG 2000 to 16 bits, but those of TIFF it leaves as they are.
    gray = to_sixteen_bits(samples >> (16 - depth) if image.format == "JPEG2000" else samples, depth)
    if _tags(image).get(ExifTags.Base.PhotometricInterpretation) == 0:
        gray = 0xFFFF - gray  # Pillow heeds "white is zero" up to 8 bits only
    clear = image.info.get("transparency")
    # Colour management knows 8 bits: what it makes of each of those is interpolated.
    steps = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    shown = np.asarray(_in_rgb(steps, image.info.get("icc_profile") or b"", notes, assumed))[0]
    curves = [np.interp(np.arange(2**16), np.arange(256) * STEP, shown[:, i] * float(STEP)) for i in range(3)]
    channels = [np.rint(curve).astype(np.uint16)[gray] for curve in curves]
    if clear is not None:
        channels.append(np.where(samples == clear, 0, 0xFFFF).astype(np.uint16))
    return np.dstack(channels)


def _in_rgb(image: Image.Image, profile: bytes, notes: list[str], assumed: list[str]) -> Image.Image:
    """*image* without alpha, in RGB, by its profile if it is of another colour space."""
    if image.mode in SPACES and profile[16:20] == SPACES[image.mode]:
        try:
            unprofiled = image.convert("CMYK" if image.mode == "CMYK" else "L")
            source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(unprofiled, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError) as error:
            notes.append(f"the colour profile cannot be used ({error})")
        else:
            notes.append("the colours were converted to sRGB by the profile of the file")
            return cast(Image.Image, converted)
    if image.mode == "CMYK":
        assumed.append("profile")
        notes.append("CMYK without a usable profile: its colours are a guess")
    # Straight to RGB, palettes with transparency draw a warning.
    return (image.convert("RGBA") if image.mode == "P" else image).convert("RGB")


def swapped(picture: NDArray[Any]) -> NDArray[Any]:
    """RGB, with or without alpha, in the order in which OpenCV keeps it in files; and back."""
    return picture[..., [2, 1, 0, 3][: picture.shape[2]]]


def to_sixteen_bits(samples: NDArray[Any], depth: int) -> NDArray[np.uint16]:
    """Integer *samples* of *depth* bits, at most 16, so that white is white."""
    top = 2**depth - 1
    table = np.rint(np.arange(2**16).clip(max=top) * (0xFFFF / top)).astype(np.uint16)
    return table[samples]


def _deep(shallow: Picture, path: Path, depth: int) -> Picture:
    """*shallow* as OpenCV reads it, in full depth.

    Pillow drops the lower bits of colours, and turns white into black in JPEG 2000. A difference of more than that
    means that one of both cannot read this file.
    """
    try:
        deep = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        deep = None
    if deep is None or deep.dtype != np.uint16 or deep.shape != shallow.shape:
        return shallow
    deep = to_sixteen_bits(swapped(deep), depth)
    # Bytes wrap around, here as there.
    if (eight_bits(deep) - shallow + np.uint8(1) > 2).any():
        raise RestorationError(f"{path}: its {depth}-bit samples cannot be read with certainty; save it as 16-bit PNG")
    return cast(Picture, deep)


def write_samples(picture: Picture, folder: Path) -> dict[Path, float]:
    """Write *picture* as a PNG, and another of half its height and width; give both, with their share of its pixels."""
    height, width = picture.shape[:2]
    half = (max(1, width // 2), max(1, height // 2))
    pictures = {"half.png": cv2.resize(picture, half, interpolation=cv2.INTER_AREA), "whole.png": picture}
    shares = {}
    for name, sample in pictures.items():
        cv2.imwrite(str(folder / name), swapped(sample))
        shares[folder / name] = sample.shape[0] * sample.shape[1] / (height * width)
    return shares
