"""What pages say, and that what others have named does no harm in them; tests/browser looks at them in a browser."""

import json
from html.parser import HTMLParser

import pytest

from page_factory import HOSTILE, NETWORK, SOURCE, write_pages
from restoration.review.html import clock, count_of, in_bytes, number
from restoration.review.page import inventions


class Page(HTMLParser):
    """A page's text, its tags, and the addresses in it."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.addresses = "", [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += f"{data} "


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    page, card, index = write_pages(tmp_path_factory.mktemp("pages"), video=HOSTILE)
    return Page(page.read_text()), json.loads(card.read_text()), Page(index.read_text())


def test_nothing_that_others_named_becomes_markup(pages):
    for page in (pages[0], pages[2]):
        assert page.tags.count("script") == 1
        assert HOSTILE in page.text
        assert "b" not in page.tags
    assert SOURCE in pages[0].text


def test_nothing_is_asked_of_other_files(pages):
    for page in (pages[0], pages[2]):
        outside = [address for address in page.addresses if not address.startswith(("data:", "#"))]
        assert not [address for address in outside if ":" in address or address.startswith("/")], outside
        assert "img" in page.tags


def test_the_page_warns_of_what_is_invented(pages):
    text = " ".join(pages[0].text.split())
    assert "1 face was invented by GFPGANv1.4: nothing more than an AI sketch artist's hallucination" in text
    assert "Colours that the source lacks were invented by deoldify-video" in text
    assert "Apache-2.0" in text
    assert "left alone: too unlike the source" in text


def test_times_are_those_of_the_settings_that_made_the_result(pages):
    text = " ".join(pages[0].text.split())
    # Two chunks; a third log is of other settings. A copy's job is not that of the main delivery.
    assert "colorize deoldify-video MIT 2 4 s 6 s" in text
    assert "encode 1 2 s 3 s encode.copy 1 2 s 3 s" in text
    assert "probe not known" in text


def test_the_card(pages):
    card = pages[1]
    assert (card["seconds"], card["size"], card["still"]) == (2.4, [128, 96], False)
    assert card["thumbnail"].startswith("data:image/webp")
    assert card["warnings"] == ["the source is damaged", "faces are invented", "colours are invented", "1 finding"]
    assert (card["measures"]["psnr"], card["measures"]["ssim"], HOSTILE in card["measures"]) == (31.25, None, False)


def test_sharpened_faces_are_not_called_hallucinations():
    face = {"decision": "restored"}
    sharp = {"networks": {"model": NETWORK | {"model": "x4", "task": "upscale"}}, "faces": [face, face]}
    assert inventions({}, sharp) == [
        "2 faces were sharpened by x4, a network for any picture, which knows nothing of faces."
    ]
    untouched = {"networks": {"model": NETWORK}, "faces": [{"decision": "left alone: too unlike the source"}]}
    assert inventions({}, untouched) == []
    assert inventions({"upscale": [{"model": "x4"}]}, None) == ["Detail finer than the source's was made up by x4."]


def test_scratches_are_painted_over_where_something_finds_them():
    model, finder = {"model": "photos", "task": "retouch"}, {"model": "finder", "task": "find_scratches"}
    assert inventions({"retouch": [model]}, None) == [
        "All of the picture was changed by photos, which invents what it paints."
    ]
    assert inventions({"retouch": [model, finder], "upscale": [{"model": "x4"}]}, None) == [
        "Scratches were painted over, and all of the picture was changed, by photos and finder, which invents what it "
        "paints.",
        "Detail finer than the source's was made up by x4.",
    ]


def test_numbers():
    assert [number(value) for value in (None, float("nan"), 3, 0.123456, 12345.6, "x")] == [
        "?",
        "?",
        "3",
        "0.1235",
        "12,346",
        "x",
    ]
    assert [clock(value) for value in (0, 61.5, 3599.9996, 7262)] == [
        "0:00.000",
        "1:01.500",
        "1:00:00.000",
        "2:01:02.000",
    ]
    assert [in_bytes(value) for value in (0, 999, 1000, 1_550_000, 2e15)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "1.55 MB",
        "2e+03 TB",
    ]
    assert [count_of(value, "frame") for value in (1, 1200)] == ["1 frame", "1,200 frames"]
