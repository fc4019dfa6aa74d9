"""The plain form: a V2 policy, no script, and a redirect back to the application."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Page, expect

from browser.running_example import BUCKET, Example, key_of

Visitor = Callable[..., BrowserContext]


def upload(page: Page, example: Example, file: Path) -> str:
    """Send a file with the form; answers the key that the last page shows."""
    page.goto(f"{example.pages}/form")
    page.set_input_files("#upload input[type=file]", file)
    page.click("#upload button")
    page.wait_for_url(f"{example.pages}/done?**")
    return page.locator("#key").inner_text()


def test_form_needs_no_script(visitor: Visitor, example: Example, photo: Path) -> None:
    """A browser without script uploads the file byte for byte, with its type, and comes back to the pages."""
    page = visitor(java_script_enabled=False).new_page()

    key = upload(page, example, photo)

    assert key_of(photo.name).fullmatch(key)
    assert example.stored(key) == photo.read_bytes()
    assert example.content_type(key) == "image/png"
    expect(page.locator("#bucket")).to_have_text(BUCKET)
    expect(page.locator("#etag")).to_have_text(example.s3.head_object(Bucket=BUCKET, Key=key)["ETag"])
    expect(page.get_by_role("heading", level=1)).to_have_text("It is stored", use_inner_text=True)


def test_form_goes_to_the_bucket_host(page: Page, example: Example) -> None:
    """The form is posted to the root of the bucket's own host, as the product's page teaches."""
    page.goto(f"{example.pages}/form")

    assert page.locator("#upload").get_attribute("action") == f"{example.storage}/"


def test_file_does_not_pass_the_application(page: Page, example: Example, photo: Path) -> None:
    """The one request that has a body goes to the storage."""
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)

    upload(page, example, photo)

    assert posts == [f"{example.storage}/"]


def test_picture_shows_after_upload(page: Page, example: Example, photo: Path) -> None:
    """The last page shows the picture, which comes straight from the storage through a signed link."""
    upload(page, example, photo)

    picture = page.locator(".preview img")
    expect(picture).to_be_visible()
    picture.evaluate("image => image.decode()")
    assert picture.evaluate("image => image.naturalWidth") == 1


def test_refused_form_shows_what_the_storage_says(page: Page, example: Example) -> None:
    """The trial form, outside its folder, gets the storage's XML in a new tab and stores nothing."""
    before = example.keys()
    page.goto(f"{example.pages}/form")

    with page.context.expect_page() as opened:
        page.click("#refused button")
    response = opened.value.wait_for_load_state() or opened.value.content()

    assert "AccessDenied" in response
    assert "starts-with" in response
    assert example.keys() == before


def test_done_page_believes_the_storage_only(page: Page, example: Example) -> None:
    """An address that tells of an upload which never happened is called untrue."""
    answer = page.goto(f"{example.pages}/done?bucket={BUCKET}&key=uploads/never&etag=%22x%22")

    assert answer is not None and answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such object", use_inner_text=True)


def test_done_page_escapes_what_it_is_told(page: Page, example: Example) -> None:
    """Markup in the address stays text."""
    page.goto(f"{example.pages}/done?bucket=b&etag=e&key={quote('<b id=injected>x</b>')}")

    assert page.locator("#injected").count() == 0
    assert page.locator("#key").text_content() == "<b id=injected>x</b>"
