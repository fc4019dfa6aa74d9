"""CORS as browsers enforce it: the pages' own origin may upload by script, every other origin may not."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.running_example import BUCKET, Example


def wrong(example: Example) -> str:
    """Name the same page server by its number: to a browser, another origin."""
    return f"http://127.0.0.1:{example.page_port}"


@pytest.mark.parametrize("way", ["post", "put"])
def test_own_origin_is_asked_for_and_allowed(page: Page, example: Example, photo: Path, way: str) -> None:
    """From the pages' origin the browser asks first, is allowed, and the file arrives."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    asked: list[str] = []
    session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["method"]))
    page.goto(f"{example.pages}/{way}")
    page.set_input_files("#file", photo)
    page.click("#send")

    expect(page.locator("#outcome h3")).to_have_text("It is stored.", use_inner_text=True)
    assert "OPTIONS" in asked


@pytest.mark.parametrize("way", ["post", "put"])
def test_other_origin_is_refused_and_told_why(page: Page, example: Example, photo: Path, way: str) -> None:
    """From another origin nothing is stored; the page names both origins and links to the right one."""
    before = example.keys()
    page.goto(f"{wrong(example)}/{way}")
    page.set_input_files("#file", photo)
    page.click("#send")

    refusal = page.locator(".refusal")
    expect(refusal).to_have_attribute("data-code", "Unanswered")
    expect(refusal).to_contain_text(f"This page’s origin is {wrong(example)}", use_inner_text=True)
    assert refusal.get_by_role("link").get_attribute("href") == f"{example.pages}/{way}"
    assert example.keys() == before


def test_refusal_from_the_storage_is_readable_across_origins(page: Page, example: Example) -> None:
    """An error answer carries the CORS headers too, or the page could not read its status and text."""
    page.goto(f"{example.pages}/put")
    status, text = page.evaluate(
        """async (url) => {
            const answer = await fetch(url, { method: "PUT", body: "x" });
            return [answer.status, await answer.text()];
        }""",
        f"{example.storage}/uploads/anonymous",
    )

    assert status == 403
    assert "<Code>AccessDenied</Code>" in text


def test_plain_form_needs_no_rule(page: Page, example: Example, photo: Path) -> None:
    """A form is navigation: it uploads from any origin that was given a signature."""
    page.goto(f"{wrong(example)}/form")
    page.set_input_files("#upload input[type=file]", photo)
    page.click("#upload button")
    page.wait_for_url(f"{example.pages}/done?**")

    assert page.locator("#bucket").inner_text() == BUCKET
    assert example.stored(page.locator("#key").inner_text()) == photo.read_bytes()
