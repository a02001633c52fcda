"""Sheets show every cell of a grid at its place, beside the source."""

import base64
import re

import cv2
import numpy as np

from restoration.review.comparison import LINE_HEIGHT
from restoration.review.face_strips import SIDE
from restoration.review.sheet import arranged, write_sheets

GRAYS = (20, 60, 100, 140, 180, 220)
CELLS = [
    [("colorize.render_factor", factor), ("upscale", upscale)]
    for factor in ("10", "21", "35")
    for upscale in ("off", "")
]


def flat(gray, height=120, width=160):
    return np.full((height, width, 3), gray, np.uint8)


def test_the_first_setting_goes_down_and_the_others_across():
    assert arranged(CELLS) == {
        "colorize.render_factor 10": {"upscale off": 0, "upscale on": 1},
        "colorize.render_factor 21": {"upscale off": 2, "upscale on": 3},
        "colorize.render_factor 35": {"upscale off": 4, "upscale on": 5},
    }
    assert arranged([[("a.b", "1")], [("a.b", "2")]]) == {"": {"a.b 1": 0, "a.b 2": 1}}


def test_every_cell_is_where_its_label_is(tmp_path):
    page, sheet = tmp_path / "a.html", tmp_path / "a.png"
    source = flat(0)
    # Where the face is the source is white, and so are results, at twice the size.
    source[30:60, 40:80] = 255
    results = []
    for gray in GRAYS:
        result = flat(gray, 240, 320)
        result[60:120, 80:160] = 255
        results.append([result])
    write_sheets(page, sheet, '<b>"&', CELLS, [1.5], [[(40, 30, 80, 60)]], [source], results)
    text = page.read_text()
    assert "<b>" not in text
    assert "0:01.500" in text
    shown = re.findall(r'<img src="data:image/webp;base64,([^"]+)" alt="([^"]+)">', text)
    pictures = [cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR) for data, _ in shown]
    labels = [label for _, label in shown]
    due = [
        f"colorize.render_factor {factor}, upscale {upscale}" for factor in (10, 21, 35) for upscale in ("off", "on")
    ]
    assert labels == ["source", *due] * 2
    assert [picture.shape[:2] for picture in pictures[:7]] == [(240, 320)] * 7
    np.testing.assert_allclose([int(picture[5, 5, 0]) for picture in pictures[:7]], [0, *GRAYS], atol=3)
    faces = pictures[7:]
    assert {picture.shape[:2] for picture in faces} == {(SIDE, SIDE)}
    for picture in faces:
        assert picture[SIDE // 2, SIDE // 2, 0] > 250
    np.testing.assert_allclose([int(picture[5, 5, 0]) for picture in faces], [0, *GRAYS], atol=3)
    strip = cv2.imread(str(sheet))
    rows = strip[LINE_HEIGHT + 5 :: LINE_HEIGHT + 240][:3]
    np.testing.assert_array_equal(rows[:, [5, 325, 645], 0], [[0, 20, 60], [0, 100, 140], [0, 180, 220]])
