"""A real browser on the example's real pages, in front of a real service. Nothing here is a stand-in.

The browser is the machine's own chromium; none is ever downloaded.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from browser.running_example import ACCESS_KEY, SECRET_KEY, Example, free_port, launch

CHROMIUM = os.environ.get("MEIKU_TEST_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """The pages and the service that the browser tests share."""
    keys = {"MEIKU_ACCESS_KEY": ACCESS_KEY, "MEIKU_SECRET_KEY": SECRET_KEY}
    running = launch(tmp_path_factory.mktemp("example"), free_port(), free_port(), **keys)
    try:
        yield running.wait_until_ready()
    finally:
        running.stop()


# By module and not by session: while it runs, no other test of this process could run an event loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make a visitor with settings of their own, who has never been here before."""
    contexts: list[BrowserContext] = []

    def arrive(**settings: Any) -> BrowserContext:
        contexts.append(chromium.new_context(**{"locale": "en-GB"} | settings))
        return contexts[-1]

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture
def page(visitor: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A page of an English visitor; a mistake in our script fails the test."""
    opened = visitor().new_page()
    mistakes: list[str] = []
    opened.on("pageerror", lambda error: mistakes.append(str(error)))
    yield opened
    assert mistakes == []


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small PNG, with a name that needs encoding."""
    path = tmp_path / "山 水+1.png"
    path.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
            "0000000c49444154789c63e0cf4e0200016900dd46b38f190000000049454e44ae426082"
        )
    )
    return path
