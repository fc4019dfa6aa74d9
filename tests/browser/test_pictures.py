"""The pictures page: every recipe makes its picture, can be edited in place, and is refused in words."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pyvips
from playwright.sync_api import BrowserContext, Locator, Page, expect

import samples
from browser.running_example import SECRET_KEY, Example, key_of
from gallery import CARDS

Visitor = Callable[..., BrowserContext]
SETTLED = re.compile("^(shown|refused|unshowable)$")
PICTURES = [card for card in CARDS if card.recipe.startswith("image/")]
FILMS = [card for card in CARDS if card.recipe.startswith("video/")]
# Chromium reads neither; what the page says instead is tested.
UNSHOWABLE = {"format-tiff", "format-heic"}
RED = (210, 30, 40)
PIXELS = """image => {
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const brush = canvas.getContext("2d");
    brush.drawImage(image, 0, 0);
    const at = (x, y) => [...brush.getImageData(x, y, 1, 1).data];
    const [right, bottom] = [canvas.width - 1, canvas.height - 1];
    return {
        corners: [at(0, 0), at(right, 0), at(0, bottom), at(right, bottom)],
        centre: at(right >> 1, bottom >> 1),
        size: [canvas.width, canvas.height],
    };
}"""
# The box around every pixel that differs clearly from the same picture without the step.
CHANGED = """async (image, key) => {
    const answer = await fetch(`/view/${key}`, { cache: "no-store" });
    const plain = await createImageBitmap(await answer.blob());
    const read = (source) => {
        const brush = new OffscreenCanvas(plain.width, plain.height).getContext("2d");
        brush.drawImage(source, 0, 0);
        return brush.getImageData(0, 0, plain.width, plain.height).data;
    };
    const [one, other] = [read(plain), read(image)];
    const box = { left: Infinity, top: Infinity, right: -1, bottom: -1 };
    for (let at = 0; at < one.length; at += 4) {
        if (Math.abs(one[at] - other[at]) < 90) continue;
        const [x, y] = [(at / 4) % plain.width, Math.floor(at / 4 / plain.width)];
        box.left = Math.min(box.left, x); box.right = Math.max(box.right, x);
        box.top = Math.min(box.top, y); box.bottom = Math.max(box.bottom, y);
    }
    return { ...box, width: plain.width, height: plain.height };
}"""


def shown(page: Page, name: str) -> Locator:
    """Scroll to a card and wait until it has its answer."""
    card = page.locator(f"#{name}")
    card.scroll_into_view_if_needed()
    expect(card).to_have_attribute("data-state", SETTLED, timeout=30_000)
    return card


def edit(card: Locator, recipe: str) -> None:
    card.locator("textarea").fill(recipe)


def image_of(card: Locator) -> Locator:
    return card.locator(".shown img")


@pytest.fixture
def gallery(page: Page, example: Example) -> Page:
    """The pictures page of an English visitor."""
    page.goto(f"{example.pages}/pictures")
    return page


@pytest.fixture
def own_picture(tmp_path: Path) -> Path:
    """A picture that is large enough for every recipe of the page."""
    path = tmp_path / "自己的 own.png"
    flat = (pyvips.Image.black(1000, 700) + list(RED)).cast("uchar").copy(interpretation="srgb")
    flat.write_to_file(str(path))
    return path


def test_every_card_shows_its_picture(gallery: Page, example: Example) -> None:
    """All of them, without an error in the console, and from nobody but the application and the storage."""
    said: list[str] = []
    hosts: set[str] = set()
    gallery.on("console", lambda message: said.append(message.text))
    gallery.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    for card in CARDS:
        at = shown(gallery, card.name)
        expect(at).to_have_attribute("data-state", "unshowable" if card.name in UNSHOWABLE else "shown")
        expect(at.locator(".facts-line")).to_contain_text(re.compile(r"\d (B|kB)"))
        if card.name not in UNSHOWABLE and not card.answer and "average-hue" not in card.recipe:
            assert image_of(at).evaluate("image => image.complete && image.naturalWidth") > 0

    assert gallery.locator(".card").count() == len(CARDS)
    assert said == []
    assert hosts - {""} <= {urlsplit(example.pages).netloc, urlsplit(example.storage).netloc}
    assert SECRET_KEY not in gallery.content()


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_a_telephone_shows_rows_and_keeps_the_groups_at_hand(
    visitor: Visitor, example: Example, locale: str
) -> None:
    """A few screens long; wherever one is, each group is one touch away, and its cards are shown."""
    page = visitor(viewport={"width": 390, "height": 844}, locale=locale).new_page()
    page.goto(f"{example.pages}/pictures")
    assert page.evaluate("document.documentElement.scrollHeight") < 8 * 844
    for link in page.locator(".index a").all():
        link.click()
        group = page.locator(link.get_attribute("href") or "")
        expect(group.locator("h2")).to_be_in_viewport()
        expect(page.locator(".index")).to_be_in_viewport(ratio=1)
        expect(group.locator(".card").first).to_have_attribute("data-state", SETTLED, timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_circle_is_a_circle(gallery: Page) -> None:
    """Its corners can be seen through, its centre cannot; as a JPEG the corners are white."""
    circle = image_of(shown(gallery, "circle")).evaluate(PIXELS)
    assert circle["size"] == [640, 640]
    assert [corner[3] for corner in circle["corners"]] == [0, 0, 0, 0] and circle["centre"][3] == 255
    white = image_of(shown(gallery, "circle-white")).evaluate(PIXELS)
    assert all(min(corner) > 245 for corner in white["corners"])
    rounded = image_of(shown(gallery, "rounded-corners")).evaluate(PIXELS)
    assert {corner[3] for corner in rounded["corners"]} == {0}


def test_the_watermark_sits_south_east(gallery: Page) -> None:
    """All that the text changes lies in that ninth of the picture; the logo's lies north-west."""
    text = image_of(shown(gallery, "watermark")).evaluate(CHANGED, samples.PHOTO)
    assert text["width"] * 2 / 3 < text["left"] < text["right"] < text["width"]
    assert text["height"] * 2 / 3 < text["top"] < text["bottom"] < text["height"]
    logo = image_of(shown(gallery, "watermark-image")).evaluate(CHANGED, samples.PHOTO)
    assert (logo["left"], logo["top"]) >= (30, 30)
    assert logo["right"] < logo["width"] / 3 and logo["bottom"] < logo["height"] / 2


def test_stored_and_upright_differ(gallery: Page) -> None:
    """The page shows pixels as they are stored: lying, and upright where auto-orient turned them."""
    expect(shown(gallery, "as-stored").locator(".facts-line")).to_contain_text("640 × 960")
    expect(shown(gallery, "auto-orient").locator(".facts-line")).to_contain_text("960 × 640")


def test_facts_are_readable(gallery: Page) -> None:
    """JSON stands as names and values, a colour as a colour."""
    info = shown(gallery, "info").locator(".json")
    expect(info).to_contain_text("ImageWidth960")
    expect(info).to_contain_text("Landscape 1")
    expect(shown(gallery, "video-info").locator(".json")).to_contain_text("Duration5")
    swatch = shown(gallery, "average-hue").locator(".swatch")
    code = swatch.inner_text()
    colour = swatch.evaluate("swatch => getComputedStyle(swatch).backgroundColor")
    assert colour == f"rgb({', '.join(str(part) for part in bytes.fromhex(code.removeprefix('#')))})"


def test_a_recipe_can_be_edited(gallery: Page) -> None:
    """What is typed is shown, the last of it, and can be undone."""
    card = shown(gallery, "resize")
    edit(card, "image/resize,w_12")
    card.locator("textarea").press_sequentially("3/rotate,90")
    expect(card.locator(".facts-line")).to_contain_text("82 × 123")
    assert image_of(card).evaluate("image => image.naturalHeight") == 123
    assert "rotate%2C90" in (card.locator(".open").get_attribute("href") or "")

    card.locator(".undo").click()
    expect(card.locator(".facts-line")).to_contain_text("160 × 107")
    expect(card.locator(".undo")).to_be_hidden()


def test_a_recipe_is_one_line(gallery: Page) -> None:
    """What was pasted with line breaks is understood, and Enter adds none."""
    card = shown(gallery, "resize")
    edit(card, "image/resize,\n w_99")
    card.locator("textarea").press("Enter")
    expect(card.locator(".facts-line")).to_contain_text("99 × 66")


def test_encoded_texts_are_shown_in_plain(gallery: Page) -> None:
    """Who reads base64 of Chinese? The page does."""
    expect(shown(gallery, "watermark").locator(".decoded")).to_have_text("text: 媒库 meiku")
    mixed = shown(gallery, "watermark-mixed").locator(".decoded")
    expect(mixed).to_contain_text("image: samples/logo.png?x-amz-process=image/resize,P_9")


@pytest.mark.parametrize(
    ("recipe", "step", "parameter", "says"),
    [
        ("image/resize,w_0", "resize", "w", "'0' is not a whole number from 1 to 16384"),
        ("image/resise,w_9", "resise", "", "did you mean 'resize'?"),
        ("image/crop,x_5000", "crop", "x", "begins beyond the picture"),
        ("nothing", "", "", "There is no beginning 'nothing'"),
        ("image/watermark,image_bm9uZS5wbmc", "", "", "neither an upload nor a sample"),
        ("image/缩放", "", "", "more than printable ASCII"),
    ],
)
def test_a_refusal_is_in_words(gallery: Page, recipe: str, step: str, parameter: str, says: str) -> None:
    """The storage's own sentence is shown with the step and parameter that it names, and can be mended."""
    card = shown(gallery, "resize")
    edit(card, recipe)
    expect(card).to_have_attribute("data-state", "refused")
    refusal = card.locator(".refusal")
    expect(refusal).to_contain_text(says)
    assert (refusal.get_attribute("data-step") or "") == step
    assert (refusal.get_attribute("data-parameter") or "") == parameter
    if parameter:
        expect(refusal.locator(".where")).to_contain_text(f"parameter {parameter}", use_inner_text=True)

    edit(card, "image/resize,w_50")
    expect(card.locator(".facts-line")).to_contain_text("50 × 33")


def test_both_languages_say_everything(gallery: Page) -> None:
    """The switch keeps what was typed, and what was refused is said in the other words."""
    card = shown(gallery, "resize")
    edit(card, "image/resize,w_0")
    expect(card.locator(".verdict")).to_have_text("meiku did not follow it.", use_inner_text=True)
    gallery.click("[data-language=zh]")

    expect(card.locator(".verdict")).to_have_text("媒库没有照做。", use_inner_text=True)
    expect(card.locator("textarea")).to_have_value("image/resize,w_0")
    for each in CARDS:
        assert gallery.locator(f"#{each.name} .told:visible").all_inner_texts() == [each.zh]


def test_a_copied_link_works_for_others(visitor: Visitor, example: Example) -> None:
    """It is a signed link to the storage; who has it needs no page."""
    page = visitor(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(f"{example.pages}/pictures")
    shown(page, "circle").locator(".copy").click()
    expect(page.locator("#circle .copy")).to_have_text("Copied", use_inner_text=True)
    link = page.evaluate("navigator.clipboard.readText()")

    assert link.startswith(f"{example.storage}/{samples.PHOTO}?x-amz-process=image%2Fcircle%2Cr_320")
    answer = visitor().new_page().goto(link)
    assert answer is not None and answer.headers["content-type"] == "image/webp"


def test_own_picture_goes_through_every_step(gallery: Page, example: Example, own_picture: Path) -> None:
    """It is uploaded by the signed form into a folder of its own, and every recipe for pictures takes it."""
    before = example.keys()
    gallery.set_input_files("#file", own_picture)
    expect(gallery.locator("#own-name b")).to_have_text(own_picture.name)
    (key,) = {key for key in example.keys() - before if not key.startswith(samples.PREFIX)}

    assert key_of(own_picture.name).fullmatch(key)
    assert example.stored(key) == own_picture.read_bytes()
    for card in PICTURES:
        at = shown(gallery, card.name)
        expect(at).to_have_attribute("data-state", "unshowable" if card.name in UNSHOWABLE else "shown")
        expect(at.locator(".before")).to_have_text(f"/{key}?x-amz-process=")
    seen = image_of(gallery.locator("#format-png")).evaluate(PIXELS)
    assert seen["size"] == [480, 336] and tuple(seen["centre"][:3]) == RED
    expect(shown(gallery, FILMS[0].name).locator(".before")).to_contain_text(samples.FILM)

    gallery.get_by_role("button", name="Back to the sample").click()
    expect(shown(gallery, "resize").locator(".facts-line")).to_contain_text("160 × 107")


def test_own_film_is_taken_for_films(gallery: Page, tmp_path: Path) -> None:
    """A film takes the place of the sample film only."""
    film = tmp_path / "own.mp4"
    film.write_bytes(samples.drawn(samples.FILM))
    gallery.set_input_files("#file", film)
    expect(gallery.locator("#own-name b")).to_have_text("own.mp4")

    for card in FILMS:
        at = shown(gallery, card.name)
        expect(at).to_have_attribute("data-state", "shown")
        expect(at.locator(".before")).to_contain_text("/own.mp4?")
    expect(shown(gallery, "resize").locator(".before")).to_contain_text(samples.PHOTO)


def test_what_is_no_picture_is_called_so(gallery: Page, tmp_path: Path) -> None:
    """A text with a picture's name is stored, and refused by each recipe in words."""
    text = tmp_path / "text.png"
    text.write_text("no picture")
    gallery.set_input_files("#file", text)
    expect(gallery.locator("#own-name b")).to_have_text("text.png")

    source = gallery.locator('.source[data-kind="image"]')
    expect(source.locator(".unshowable")).to_have_text(
        "The browser cannot show this file.", use_inner_text=True
    )
    expect(source.locator("img")).to_be_hidden()
    card = shown(gallery, "resize")
    expect(card.locator(".refusal")).to_contain_text("This image format is not supported")

    gallery.click("#own-name button")
    expect(source.locator("img")).to_be_visible()
    expect(source.locator(".unshowable")).to_be_hidden()


def test_an_upload_that_fails_says_so(gallery: Page, own_picture: Path) -> None:
    """Nothing takes the samples' place, and another file can be chosen."""
    shown(gallery, "resize")
    gallery.route(
        "**/sign/form-v4", lambda route: route.fulfill(status=413, body=json.dumps({"detail": "no"}))
    )
    gallery.set_input_files("#file", own_picture)

    expect(gallery.locator("#own-outcome .refusal")).to_contain_text(
        "The file is too large", use_inner_text=True
    )
    expect(gallery.locator("#own-name")).to_be_hidden()
    expect(gallery.locator("#file")).to_be_enabled()


def test_another_origin_is_told_why_it_sees_nothing(page: Page, example: Example) -> None:
    """The bucket's rule lets the pages' own origin look by script, and no other."""
    page.goto(f"http://127.0.0.1:{example.page_port}/pictures")
    card = shown(page, "resize")

    expect(card.locator(".refusal")).to_have_attribute("data-code", "Unanswered")
    expect(card).to_contain_text(f"the bucket’s CORS rule allows only {example.pages}", use_inner_text=True)


def test_pictures_need_no_script(visitor: Visitor, example: Example) -> None:
    """Without script the page is a page of pictures, each from its own address."""
    page = visitor(java_script_enabled=False, viewport={"width": 1200, "height": 4000}).new_page()
    answers: list[tuple[int, str]] = []
    page.on("response", lambda r: answers.append((r.status, r.url)) if "x-amz-process" in r.url else None)
    page.goto(f"{example.pages}/pictures", wait_until="networkidle")

    seen = {url for status, url in answers if status == 200 and url.startswith(example.storage)}
    assert len(seen) > 10
    assert not [url for status, url in answers if status not in (200, 307)]


@pytest.mark.parametrize("width_px", [320, 360, 768, 1400])
def test_no_screen_is_too_narrow(visitor: Visitor, example: Example, width_px: int) -> None:
    """With every picture there, and one refused, nothing has to be scrolled sideways."""
    page = visitor(viewport={"width": width_px, "height": 900}).new_page()
    page.goto(f"{example.pages}/pictures")
    edit(shown(page, "resize"), "image/resize,w_" + "9" * 200)
    for name in ("rotate-slanted", "watermark-mixed", "info", "video-info", "banner"):
        shown(page, name)

    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    inside = page.locator(".card").evaluate_all(
        "cards => cards.every(card => card.scrollWidth <= card.clientWidth)"
    )
    assert inside


def test_what_is_touched_is_large_enough(visitor: Visitor, example: Example) -> None:
    """On a telephone a finger meets each card's links; with a mouse 24 pixels do."""
    for width_px, least_px in ((390, 36), (1280, 24)):
        page = visitor(viewport={"width": width_px, "height": 844}).new_page()
        page.goto(f"{example.pages}/pictures")
        boxes = [
            target.bounding_box() for target in shown(page, "resize").locator(".under .plain:visible").all()
        ]
        assert len(boxes) == 2
        assert all(box and min(box["height"], box["width"]) >= min(least_px, 24) for box in boxes)
        assert all(box and box["height"] >= least_px for box in boxes)


def test_the_pages_lead_there(page: Page, example: Example) -> None:
    """The terminal names the page, and the start page links to it with a picture of it."""
    assert f"{example.pages}/pictures" in example.said()
    page.goto(example.pages)
    teaser = page.locator(".also img")
    teaser.scroll_into_view_if_needed()
    expect(teaser).to_have_js_property("naturalWidth", 280)
    page.locator(".also a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pictures by URL", use_inner_text=True)
