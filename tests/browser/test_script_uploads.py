"""The two script pages: a V4 form by POST and a presigned PUT. What holds for both, and for each."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from browser.running_example import SECRET_KEY, Example, key_of

WAYS = ("post", "put")
UPLOAD_BYTES_PER_S = 250_000


def choose(page: Page, example: Example, way: str, file: Path) -> None:
    page.goto(f"{example.pages}/{way}")
    page.set_input_files("#file", file)


def upload(page: Page, example: Example, way: str, file: Path) -> str:
    """Send a file; answers the key that the page shows."""
    choose(page, example, way, file)
    page.click("#send")
    expect(page.locator("#outcome h3")).to_have_text("It is stored.", use_inner_text=True)
    return page.locator("#key").inner_text()


def slow_down(page: Page) -> None:
    """Give the page a line on which an upload takes a while."""
    line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": UPLOAD_BYTES_PER_S}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", line)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A file large enough to be watched on its way."""
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 4096)
    return path


@pytest.mark.parametrize("way", WAYS)
def test_bytes_arrive_as_they_were(page: Page, example: Example, photo: Path, way: str) -> None:
    """The chosen file is stored byte for byte under the key that was signed, with its type."""
    key = upload(page, example, way, photo)

    assert key_of(photo.name).fullmatch(key)
    assert example.stored(key) == photo.read_bytes()
    assert example.content_type(key) == "image/png"


@pytest.mark.parametrize("way", WAYS)
def test_address_and_picture_are_shown(page: Page, example: Example, photo: Path, way: str) -> None:
    """After an upload the page shows the object's address at the storage, and the picture itself."""
    upload(page, example, way, photo)

    assert page.locator("#address").inner_text().startswith(f"{example.storage}/uploads/")
    picture = page.locator("#outcome img")
    picture.evaluate("image => image.decode()")
    assert picture.evaluate("image => image.naturalWidth") == 1


@pytest.mark.parametrize("way", WAYS)
def test_unknown_type_is_stored_as_bytes(page: Page, example: Example, tmp_path: Path, way: str) -> None:
    """The application decides the type: what browsers might run is stored as plain bytes."""
    script = tmp_path / "page.html"
    script.write_text("<script>alert(1)</script>")

    key = upload(page, example, way, script)

    assert example.content_type(key) == "application/octet-stream"


@pytest.mark.parametrize("way", WAYS)
def test_dropped_file_is_uploaded(page: Page, example: Example, way: str) -> None:
    """A file that is dropped on the panel counts as chosen."""
    page.goto(f"{example.pages}/{way}")
    dropped = page.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
            return data;
        }"""
    )
    page.dispatch_event("#panel .drop", "drop", {"dataTransfer": dropped})
    page.click("#send")
    expect(page.locator("#outcome h3")).to_have_text("It is stored.", use_inner_text=True)

    assert example.stored(page.locator("#key").inner_text()) == b"dropped"


@pytest.mark.parametrize("way", WAYS)
def test_progress_moves(page: Page, example: Example, film: Path, way: str) -> None:
    """While a file is on its way, the bar moves forward only, and speed and remaining time are told."""
    choose(page, example, way, film)
    slow_down(page)
    page.evaluate(
        """() => {
            window.seen = []; window.told = "";
            const note = () => {
                window.seen.push(document.querySelector("#progress").value);
                window.told += document.querySelector("#pace").innerText;
            };
            new MutationObserver(note).observe(document.querySelector("#pace"), { childList: true });
        }"""
    )
    page.click("#send")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#outcome h3")).to_have_text("It is stored.", use_inner_text=True, timeout=30_000)

    seen, told = page.evaluate("[window.seen, window.told]")
    between = {value for value in seen if 0 < value < 100}
    assert len(between) >= 3
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert "B/s" in told
    assert "seconds left" in told


@pytest.mark.parametrize("way", WAYS)
def test_cancel_stores_nothing(page: Page, example: Example, film: Path, way: str) -> None:
    """A cancelled upload says so, leaves no object, and the page is ready for the next one."""
    before = example.keys()
    choose(page, example, way, film)
    slow_down(page)
    page.click("#send")
    expect(page.locator("#pace b")).to_have_text(re.compile(r"^([5-9]|[1-9]\d)%$"))
    page.click("#cancel")

    expect(page.locator("#outcome h3")).to_have_text("Cancelled; nothing was stored.", use_inner_text=True)
    expect(page.locator("#send")).to_be_enabled()
    page.wait_for_timeout(500)
    assert example.keys() == before


@pytest.mark.parametrize(
    ("way", "trial", "code", "text"),
    [
        ("post", "size", "EntityTooLarge", "Sent 46 B; 23 B allowed."),
        ("post", "type", "AccessDenied", "text/html"),
        ("post", "key", "AccessDenied", "elsewhere/note.txt"),
        ("put", "size", "SignatureDoesNotMatch", "What was sent is not what was signed."),
        ("put", "type", "SignatureDoesNotMatch", "The Content-Type «text/plain» was signed"),
        ("put", "key", "SignatureDoesNotMatch", "What was sent is not what was signed."),
    ],
)
def test_refusal_is_readable(
    page: Page, example: Example, way: str, trial: str, code: str, text: str
) -> None:
    """What breaks the signature is refused; the page names the code and the reason, and nothing is stored."""
    before = example.keys()
    page.goto(f"{example.pages}/{way}")
    page.click(f"[data-trial={trial}]")

    refusal = page.locator(".refusal")
    expect(refusal).to_have_attribute("data-code", code)
    expect(refusal).to_contain_text(text, use_inner_text=True)
    assert example.keys() == before


def test_unmet_condition_stands_first(page: Page, example: Example) -> None:
    """Of the policy's conditions the one that failed is shown first, with what it asked and what was sent."""
    page.goto(f"{example.pages}/post")
    page.click("[data-trial=key]")

    first = page.locator(".conditions li").first
    expect(first).to_have_class("unmet")
    expect(first).to_contain_text("uploads/")
    expect(first).to_contain_text("elsewhere/note.txt")
    assert page.locator(".conditions .unmet").count() == 1
    assert page.locator(".conditions .met").count() >= 3


def test_refusal_changes_language_in_place(page: Page, example: Example) -> None:
    """Switching the language keeps what is on the page, and says it in the other words."""
    page.goto(f"{example.pages}/post")
    page.click("[data-trial=size]")
    expect(page.locator(".refusal h3")).to_have_text(
        "The file is larger than the signature allows.", use_inner_text=True
    )
    page.click("[data-language=zh]")

    expect(page.locator(".refusal h3")).to_have_text("文件比签名允许的大。", use_inner_text=True)


def test_too_large_is_not_even_signed(page: Page, example: Example) -> None:
    """The application refuses to sign for more than its rules allow, before a byte is sent."""
    page.goto(f"{example.pages}/post")
    status = page.evaluate(
        """async () => {
            const { ask } = await import("/assets/send.js");
            const huge = { name: "x", type: "", size: 2 ** 40 };
            return ask("/sign/form-v4", huge).then(() => 200, (error) => error.status);
        }"""
    )

    assert status == 413


def test_put_sends_exactly_the_signed_type(page: Page, example: Example, photo: Path) -> None:
    """The Content-Type on the wire is the one in the application's answer, letter for letter."""
    signed: list[dict[str, Any]] = []
    sent: list[Request] = []
    page.on("response", lambda answer: signed.append(answer.json()) if "/sign/put" in answer.url else None)
    page.on("request", lambda request: sent.append(request) if request.method == "PUT" else None)

    upload(page, example, "put", photo)

    assert [request.header_value("content-type") for request in sent] == [
        signed[0]["headers"]["Content-Type"]
    ]
    assert sent[0].url == signed[0]["url"]


@pytest.mark.parametrize("way", WAYS)
def test_secret_never_reaches_the_page(page: Page, example: Example, photo: Path, way: str) -> None:
    """Nothing that the browser is sent or sends has the secret key in it."""
    texts: list[str] = []
    page.on("request", lambda request: texts.append(f"{request.url} {request.headers}"))
    page.on("requestfinished", lambda request: texts.append(_body_of(request)))

    upload(page, example, way, photo)

    assert any("signature" in text.lower() for text in texts), "the signing answer was not seen"
    assert not [text for text in texts if SECRET_KEY in text]


def _body_of(request: Request) -> str:
    answer = request.response()
    is_text = answer is not None and "image" not in answer.headers.get("content-type", "image")
    return answer.text() if answer is not None and is_text and request.method != "OPTIONS" else ""
