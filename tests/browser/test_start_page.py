"""The start page and what all pages share: two languages, no strangers, the list of what has arrived."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.running_example import BUCKET, Example

Visitor = Callable[..., BrowserContext]
PAGES = ("", "form", "post", "put", "pictures", f"done?bucket={BUCKET}&key=uploads/none", "nowhere")
ZH, EN = "文件直达存储，\n服务器只管签名。", "Files go straight to storage. Your server only signs."


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


@pytest.mark.parametrize(("locale", "expected"), [("zh-CN", ZH), ("en-GB", EN), ("fr-FR", EN)])
def test_language_follows_the_browser(visitor: Visitor, example: Example, locale: str, expected: str) -> None:
    """A first visit shows the language that the browser prefers, English when it is neither."""
    page = visitor(locale=locale).new_page()
    page.goto(example.pages)

    assert heading(page) == expected


def test_chosen_language_is_remembered(page: Page, example: Example) -> None:
    """What was chosen with the switch holds on the next page and after a reload."""
    page.goto(example.pages)
    page.click("[data-language=zh]")
    assert heading(page) == ZH

    page.goto(f"{example.pages}/form")
    assert heading(page) == "普通表单"


def test_language_can_be_linked(visitor: Visitor, example: Example) -> None:
    """`?lang=` goes before the browser's preference, is remembered, and works without script."""
    page = visitor(locale="en-GB", java_script_enabled=False).new_page()
    page.goto(f"{example.pages}/put?lang=zh")
    assert heading(page) == "预签名 PUT"

    page.goto(example.pages)
    assert heading(page) == ZH


@pytest.mark.parametrize("path", PAGES)
def test_one_language_at_a_time(page: Page, example: Example, path: str) -> None:
    """An English reader is shown no Chinese: what is Chinese is marked so and hidden, all else is neither."""
    page.goto(f"{example.pages}/{path}")
    unmarked = page.locator("main").evaluate(
        """main => {
            const rest = main.cloneNode(true);
            // Files keep the names they came with; a picture's title is for both.
            for (const part of rest.querySelectorAll("[lang], title, noscript, #uploads")) part.remove();
            return rest.textContent;
        }"""
    )

    assert not [character for character in unmarked if "\u4e00" <= character <= "\u9fff"]
    assert page.locator("main [lang=en]:visible").count() > 3
    assert page.locator("main [lang=zh]:visible").count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_pages_speak_with_nobody_else(page: Page, example: Example, path: str) -> None:
    """A page loads from the application and the storage alone: no CDN, no fonts, no counters."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{example.pages}/{path}", wait_until="networkidle")

    # What a page has made itself (blob:) has no host.
    assert hosts - {""} <= {urlsplit(example.pages).netloc, urlsplit(example.storage).netloc}


@pytest.mark.parametrize("path", PAGES)
def test_every_control_has_a_name(page: Page, example: Example, path: str) -> None:
    """Each button, link and field has a name that a screen reader can say."""
    page.goto(f"{example.pages}/{path}")
    controls = page.locator("a[href]:visible, button:visible, input:visible, textarea:visible")

    assert controls.count() > 3
    for control in controls.all():
        expect(control).to_have_accessible_name(re.compile(r"\S"))


@pytest.mark.parametrize("path", PAGES)
def test_small_screen_is_not_too_narrow(visitor: Visitor, example: Example, path: str) -> None:
    """On a telephone nothing has to be scrolled sideways."""
    page = visitor(viewport={"width": 360, "height": 740}).new_page()
    page.goto(f"{example.pages}/{path}")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize(
    ("locale", "expected"), [("zh-CN", "这里没有页面"), ("en-GB", "There is nothing here")]
)
@pytest.mark.parametrize("path", ["nowhere", "view/private.txt"])
def test_an_address_that_leads_nowhere_is_a_page(
    visitor: Visitor, example: Example, path: str, locale: str, expected: str
) -> None:
    """A browser is shown words and the way back, a script the reason; both are told 404."""
    page = visitor(locale=locale).new_page()
    answer = page.goto(f"{example.pages}/{path}")
    assert answer is not None and answer.status == 404
    assert heading(page) == expected
    assert page.request.get(f"{example.pages}/{path}").json()["detail"]

    page.click("main a.primary")
    page.wait_for_url(f"{example.pages}/")


def test_list_shows_pictures_from_the_storage(page: Page, example: Example, photo: Path) -> None:
    """What was uploaded is listed, newest first, and its picture comes straight from the storage."""
    key = "uploads/00000000/listed.png"
    example.s3.put_object(Bucket=BUCKET, Key=key, Body=photo.read_bytes(), ContentType="image/png")
    page.goto(example.pages)

    first = page.locator("#uploads a").first
    expect(first).to_have_attribute("data-key", key)
    picture = first.locator("img")
    picture.evaluate("image => image.decode()")
    assert picture.evaluate("image => image.naturalWidth") == 1
    assert (picture.get_attribute("src") or "").startswith(f"{example.storage}/{key}?")


def test_a_picture_that_is_none_is_shown_by_its_ending(page: Page, example: Example) -> None:
    """No browser's sign of a broken picture in the list."""
    key = "uploads/00000001/broken.png"
    example.s3.put_object(Bucket=BUCKET, Key=key, Body=b"no picture", ContentType="image/png")
    page.goto(example.pages)

    entry = page.locator(f'[data-key="{key}"]')
    entry.scroll_into_view_if_needed()
    expect(entry.locator(".kind")).to_have_text("png")
    expect(entry.locator("img")).to_have_count(0)


def test_a_list_that_cannot_be_read_says_so(page: Page, example: Example) -> None:
    """Neither no network nor a storage that is away leaves the place empty."""
    said = "The list cannot be read now."
    page.route("**/uploads", lambda route: route.abort())
    page.goto(example.pages)
    expect(page.locator("#uploads")).to_have_text(said, use_inner_text=True)

    page.unroute("**/uploads")
    page.route("**/uploads", lambda route: route.fulfill(status=502))
    page.reload()
    expect(page.locator("#uploads")).to_have_text(said, use_inner_text=True)


def test_only_uploads_can_be_viewed(page: Page, example: Example) -> None:
    """The application signs links for its own folder and for nothing else in the bucket."""
    example.s3.put_object(Bucket=BUCKET, Key="private.txt", Body=b"private")

    assert page.request.get(f"{example.pages}/view/private.txt").status == 404
