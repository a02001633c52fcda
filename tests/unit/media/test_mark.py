"""The mark that networks had a part in a picture: written, read back, and put into what a file says already."""

from xml.etree import ElementTree as ET

import pytest

from restoration.media.mark import PACKET, SOURCE_TYPE, mark_video, marked, read_mark

OTHER = "http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PROPERTY = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
HEAD = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
)


def packet(inside):
    return f"{HEAD}<rdf:RDF>{inside}</rdf:RDF></x:xmpmeta>".encode()


def source_types(xmp):
    """All that a packet says of its source type, in whichever form."""
    root = ET.fromstring(xmp)
    told = [element.get(PROPERTY) for element in root.iter() if element.get(PROPERTY)]
    return told + [element.get(f"{RDF}resource") or element.text for element in root.iter(PROPERTY)]


@pytest.mark.parametrize(
    "inside",
    [
        "",
        '<rdf:Description rdf:about="" dc:format="image/tiff"/>',
        f'<rdf:Description rdf:about="" Iptc4xmpExt:DigitalSourceType="{OTHER}" dc:format="image/tiff"/>',
        f"<rdf:Description><Iptc4xmpExt:DigitalSourceType>{OTHER}</Iptc4xmpExt:DigitalSourceType></rdf:Description>",
        f'<rdf:Description rdf:about=""><Iptc4xmpExt:DigitalSourceType rdf:resource="{OTHER}"/></rdf:Description>',
    ],
)
def test_a_packet_says_one_source_type(inside):
    xmp = marked(packet(inside))
    assert source_types(xmp) == [SOURCE_TYPE]
    assert (b"image/tiff" in xmp) == ("image/tiff" in inside)


def test_what_else_a_packet_says_stays_to_the_byte():
    xmp = packet('<rdf:Description rdf:about="uuid:1" dc:creator="M&#252;ller"/>') + b"   \n<?xpacket end='w'?>"
    before, after = xmp.split(b"</rdf:RDF>")
    assert marked(xmp).startswith(before)
    assert marked(xmp).endswith(b"</rdf:RDF>" + after)
    assert {element.get(f"{RDF}about") for element in ET.fromstring(marked(xmp)).iter(f"{RDF}Description")} == {
        "uuid:1"
    }


def test_what_is_no_packet_is_not_mended():
    assert marked(b"<x:xmpmeta/>") is None
    assert source_types(marked(PACKET)) == [SOURCE_TYPE]


def test_boxes_are_walked_over(tmp_path):
    file = tmp_path / "a.mp4"
    large = b"\0\0\0\1mdat" + (16 + 5).to_bytes(8, "big") + b"12345"
    other = b"\0\0\0\x1cuuid" + bytes(range(16)) + b"http"
    file.write_bytes(b"\0\0\0\x0cftypisom" + large + other)
    assert read_mark(file) == ""
    mark_video(file)
    assert read_mark(file) == SOURCE_TYPE
    file.write_bytes(b"\0\0\0\0mdat" + file.read_bytes())
    assert read_mark(file) == ""
