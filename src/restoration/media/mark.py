"""The mark by which programs see that networks had a part in a picture: IPTC's digital source type, in XMP.

MP4 and MOV carry the XMP packet in a box at their end, which moves nothing else (XMP part 3, 1.1.4), images where their
format has a place for it. Matroska knows no XMP: there it is a tag of the file.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image

from restoration.media.kind import is_still

Image.MAX_IMAGE_PIXELS = None  # as in `still`: archives scan large
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for a recording in which networks invented something."""
MATROSKA_TAG = "DIGITAL_SOURCE_TYPE"
BOXED = (".mp4", ".mov")
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
PACKET = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
)
STATEMENT = (
    '<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about="{about}"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>'
)
END = re.compile(rb"</(?:[\w.-]+:)?RDF\s*>")
ABOUT = re.compile(rb"""\babout\s*=\s*["']([^"'<>]*)["']""")
SAID_BEFORE = re.compile(
    rb"""\s[\w.-]+:DigitalSourceType\s*=\s*(?:"[^"]*"|'[^']*')"""
    rb"""|<(?P<name>[\w.-]+:DigitalSourceType)\b[^>]*?(?:/>|>.*?</(?P=name)\s*>)""",
    re.DOTALL,
)
SAID = re.compile(rb"""DigitalSourceType\b[^<]*?(?:=\s*["']|>\s*)(http[^"'<\s]*)""")


def marked(xmp: bytes = PACKET) -> bytes | None:
    """The packet *xmp* with the mark instead of what it says itself about its source type; all else stays, to the byte.

    None for one without an RDF part to put it in.
    """
    xmp = SAID_BEFORE.sub(b"", xmp)
    ends = list(END.finditer(xmp))
    if not ends:
        return None
    about = ABOUT.search(xmp)  # XMP wants the same in all descriptions
    statement = STATEMENT.format(about=about[1].decode("utf-8", "replace") if about else "")
    return xmp[: ends[-1].start()] + statement.encode() + xmp[ends[-1].start() :]


def mark_video(path: Path) -> None:
    """Put the mark at the end of an MP4 or MOV file. (Matroska's tags are written with the file.)"""
    packet = marked() or b""
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP_BOX + packet)


def read_mark(path: Path) -> str:
    """The digital source type that the file *path* names, "" for none. The suffix tells the kind of file."""
    if path.suffix == ".mkv":
        with av.open(path, metadata_errors="replace") as container:
            return container.metadata.get(MATROSKA_TAG, "")
    said = SAID.search(_image_xmp(path) if is_still(path) else b"".join(_boxed_xmp(path)))
    return said[1].decode("ascii", "replace") if said else ""


def _image_xmp(path: Path) -> bytes:
    with Image.open(path) as image:
        image.load()  # PNG may hold it behind the picture
        xmp: bytes = image.info.get("xmp", b"")
    return xmp


def _boxed_xmp(path: Path) -> Iterator[bytes]:
    """The XMP packets among the topmost boxes of a file (ISO 14496-12, 4.2)."""
    end = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= end:
            file.seek(at)
            size, kind = struct.unpack(">I4s", file.read(8))
            if size == 1:
                (size,) = struct.unpack(">Q", file.read(8).rjust(8, b"\0"))
            if kind == b"uuid" and file.read(16) == XMP_BOX:
                yield file.read(at + size - file.tell())
            if size < 8:
                return  # up to the end of the file, or damaged
            at += size
