"""The pages in a real browser: what people do with them by keyboard, by pointer, and on a telephone."""

import re
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from page_factory import HOSTILE, write_pages

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: `make browser`, or install it")
TELEPHONE = 320


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as tools:
        # Root, in a container, has no sandbox.
        running = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    page, _, index = write_pages(tmp_path_factory.mktemp("pages"), video=HOSTILE)
    return SimpleNamespace(page=page, index=index)


@pytest.fixture
def visit(browser):
    """Opens a file, of which nothing is to be complained about, and which asks for no other."""
    complaints = []
    contexts = []

    def opened(path, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def shown(page, number=0):
    """How much of the pictures of a slider is the source, in percent, as the browser draws them."""
    clip = page.locator(".slider .source").nth(number).evaluate("(image) => getComputedStyle(image).clipPath")
    hidden = re.fullmatch(r"inset\(0px (?:calc\()?([\d.]+)(%|px).*\)", clip)
    assert hidden, clip
    return 100 - float(hidden[1])


def test_a_slider_moves_by_keyboard(visit, pages):
    page = visit(pages.page)
    slider = page.get_by_role("slider", name="How much of frame 9 shows the source, in percent")
    assert shown(page) == 50
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == 51
    page.keyboard.press("Home")
    assert (shown(page), shown(page, 1)) == (0, 50)
    page.keyboard.press("End")
    assert shown(page) == 100


def test_a_slider_follows_the_pointer_to_the_very_place(visit, pages):
    page = visit(pages.page)
    box = page.locator(".slider").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 20, steps=4)
    assert shown(page) == pytest.approx(20, abs=1.5)
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20, steps=4)
    page.mouse.up()
    assert shown(page) == pytest.approx(90, abs=1.5)


def test_the_source_is_left_of_the_border_and_the_result_right_of_it(visit, pages):
    """The result is the negative of the source: the same place is bright in one and dark in the other."""
    page = visit(pages.page)
    seen = {}
    for value in ("0", "50", "100"):
        page.locator(".slider input").first.fill(value)
        png = np.frombuffer(page.locator(".slider").first.screenshot(), np.uint8)
        seen[value] = cv2.imdecode(png, cv2.IMREAD_COLOR).astype(int)
    width = seen["50"].shape[1]
    left, right = (slice(40, None), slice(2, width // 4)), (slice(40, None), slice(-width // 4, -2))
    assert (np.abs(seen["0"] - seen["100"])[left].mean(), np.abs(seen["0"] - seen["100"])[right].mean()) > (40, 40)
    assert np.abs(seen["50"] - seen["100"])[left].mean() < 1
    assert np.abs(seen["50"] - seen["0"])[right].mean() < 1


def test_pictures_and_controls_have_names(visit, pages):
    page = visit(pages.page)
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert page.get_by_role("img", name=f"Source, frame 9 of {HOSTILE}").count() == 1
    assert page.get_by_role("img", name=f"Restored, frame 9 of {HOSTILE}").count() == 1
    assert page.get_by_role("slider").count() == 3
    assert page.get_by_role("img", name="flicker of luma beyond the source's, of 255: lowest").count() == 1
    # What scrolls can be reached by keyboard, and says what it is.
    assert page.get_by_role("region", name="Stages").get_attribute("tabindex") == "0"


def test_nothing_is_broken(visit, pages):
    page = visit(pages.page)
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.get_by_role("heading", level=1).inner_text() == HOSTILE
    assert page.locator("main b, main script").count() == 0


@pytest.mark.parametrize("which", ["page", "index"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_nothing_sticks_out(visit, pages, which, scheme):
    page = visit(
        getattr(pages, which), viewport={"width": TELEPHONE, "height": 640}, color_scheme=scheme, has_touch=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE


def test_dark_is_dark(visit, pages):
    colours = {}
    for scheme in ("light", "dark"):
        page = visit(pages.page, color_scheme=scheme)
        colours[scheme] = page.evaluate(
            "['color', 'backgroundColor'].map((what) => Number(getComputedStyle(document.body)[what].match(/\\d+/)[0]))"
        )
    assert colours["light"][0] + 128 < colours["light"][1]
    assert colours["dark"][1] + 128 < colours["dark"][0]


def column(page, number):
    return page.locator(f"tbody tr > :nth-child({number})").all_inner_texts()


def test_the_list_sorts_by_its_headings(visit, pages):
    page = visit(pages.index)
    videos = ["failed", HOSTILE, "clip", "short", "cardless"]
    assert column(page, 2) == videos
    assert page.locator("th[aria-sort]").count() == 0
    heading = page.get_by_role("columnheader", name="Length")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    # Who has no length comes last, in either direction.
    assert column(page, 2) == ["short", "clip", "failed", HOSTILE, "cardless"]
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, 2) == ["clip", "short", "failed", HOSTILE, "cardless"]
    page.get_by_role("button", name="Video").click()
    assert page.locator("th[aria-sort]").count() == 1
    assert sorted(column(page, 2), key=str.casefold)[1:] == column(page, 2)[1:]


def test_the_list_is_truthful_about_what_failed(visit, pages):
    page = visit(pages.index)
    row = page.locator("tbody tr", has_text="failed").first
    assert row.locator("img, a").count() == 0
    assert HOSTILE in row.inner_text()
    links = page.locator("tbody a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert links == ["clip/clip.html", "short/short.html"]
