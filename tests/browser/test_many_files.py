"""Several files at once, and folders: each has its progress and its end, on both script pages."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.running_example import Example
from browser.test_script_uploads import WAYS, slow_down

ROW = re.compile(r"uploads/[0-9a-f]{8}/")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a folder in it, an empty file, and names that need encoding."""
    inner = tmp_path / "相册 2026" / "day 1"
    inner.mkdir(parents=True)
    for number in range(5):
        (inner / f"photo+{number}.txt").write_text(f"photo {number}")
    (tmp_path / "相册 2026" / "empty.txt").touch()
    return tmp_path / "相册 2026"


def drop(page: Page, *paths: Path) -> None:
    """Drop real files and folders, as the browser's own drag and drop gives them to a page."""
    box = page.locator("#panel .drop").bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **at})


def finish(page: Page, words: str) -> None:
    """Send all that was chosen; the outcome says so in these words."""
    page.click("#send")
    expect(page.locator("#outcome h3").first).to_have_text(words, use_inner_text=True, timeout=30_000)


@pytest.mark.parametrize("way", WAYS)
def test_all_chosen_files_arrive(page: Page, example: Example, tmp_path: Path, way: str) -> None:
    """A dozen files, listed before they are sent; each is stored whole, and its row leads to it."""
    before = example.keys()
    files = [tmp_path / f"file-{number}.txt" for number in range(12)]
    for number, file in enumerate(files):
        file.write_text(f"{number}" * 1000)
    page.goto(f"{example.pages}/{way}")
    page.set_input_files("#file", files)
    assert page.locator("#chosen .file b").all_inner_texts() == [file.name for file in files]
    expect(page.locator("#send")).to_have_text("Upload 12 files", use_inner_text=True)
    finish(page, "12 stored.")

    keys = example.keys() - before
    assert len({ROW.match(key)[0] for key in keys if ROW.match(key)}) == 1, "what came together lies together"
    assert {key.rpartition("/")[2]: example.stored(key) for key in keys} == {
        file.name: file.read_bytes() for file in files
    }
    assert page.locator(".file[data-state=stored] .state a").count() == 12
    expect(page.locator("#send")).to_be_disabled()


@pytest.mark.parametrize("way", WAYS)
def test_a_dropped_folder_keeps_its_paths(page: Page, example: Example, folder: Path, way: str) -> None:
    """Folders within it too, empty files too, beside a file that was dropped with it."""
    before = example.keys()
    beside = folder.parent / "beside.txt"
    beside.write_text("beside")
    page.goto(f"{example.pages}/{way}")
    drop(page, folder, beside)
    expect(page.locator("#chosen .file")).to_have_count(7)
    # A plain form takes no empty file unless it was signed for; here its size was.
    finish(page, "7 stored.")

    stored = {ROW.sub("", key): example.stored(key) for key in example.keys() - before}
    expected = {str(path.relative_to(folder.parent)): path.read_bytes() for path in folder.rglob("*.txt")}
    assert stored == expected | {"beside.txt": b"beside"}


def test_a_chosen_folder_keeps_its_paths(page: Page, example: Example, folder: Path) -> None:
    """The other way to a folder, for those who do not drag."""
    before = example.keys()
    page.goto(f"{example.pages}/put")
    page.set_input_files("#folder", folder)
    finish(page, "6 stored.")

    assert {ROW.sub("", key).partition("/")[0] for key in example.keys() - before} == {"相册 2026"}


def test_each_file_has_its_progress(page: Page, example: Example, tmp_path: Path) -> None:
    """Three at once, the fourth waits; every row's bar moves, and the whole is counted."""
    files = [tmp_path / f"film-{number}.bin" for number in range(4)]
    for file in files:
        file.write_bytes(bytes(150_000))
    page.goto(f"{example.pages}/put")
    page.set_input_files("#file", files)
    slow_down(page)
    page.evaluate(
        """() => {
            window.most = 0; window.told = "";
            window.moved = [0, 0, 0, 0].map(() => new Set());
            new MutationObserver(() => {
                const rows = [...document.querySelectorAll(".file")];
                const running = rows.filter((row) => ["running", "checking"].includes(row.dataset.state));
                window.most = Math.max(window.most, running.length);
                rows.forEach((row, index) => window.moved[index].add(row.querySelector("progress").value));
                window.told += document.querySelector("#pace").innerText;
            }).observe(document.querySelector("#pace"), { childList: true });
        }"""
    )
    finish(page, "4 stored.")

    most, moved, told = page.evaluate("[window.most, window.moved.map((each) => each.size), window.told]")
    assert most == 3
    assert all(count >= 3 for count in moved), moved
    assert "of 4 files" in told


def test_one_refusal_does_not_stop_the_others(page: Page, example: Example, tmp_path: Path) -> None:
    """What is refused is named with its reason beside what was stored, and can be tried again."""
    files = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for file in files:
        file.write_text(file.name)
    page.goto(f"{example.pages}/put")
    page.set_input_files("#file", files)
    refused = re.compile(r"/b\.txt\?")
    page.route(
        refused, lambda route: route.continue_(url=route.request.url.replace("/b.txt?", "/other.txt?"))
    )
    finish(page, "2 stored, 1 refused.")
    expect(page.locator("#outcome summary").first).to_have_text("b.txt")
    expect(page.locator(".refusal")).to_have_attribute("data-code", "SignatureDoesNotMatch")
    expect(page.locator(".file[data-state=refused] b")).to_have_text("b.txt")

    page.unroute(refused)
    expect(page.locator("#send")).to_have_text("Try again", use_inner_text=True)
    finish(page, "3 stored.")


def test_cancel_keeps_what_is_stored(page: Page, example: Example, tmp_path: Path) -> None:
    """Those under way and those that wait are given up; what had arrived stays, and is said to."""
    small, large = tmp_path / "small.txt", tmp_path / "large.bin"
    small.write_text("small")
    large.write_bytes(bytes(3_000_000))
    before = example.keys()
    page.goto(f"{example.pages}/put")
    page.set_input_files("#file", [small, large])
    slow_down(page)
    page.click("#send")
    expect(page.locator(".file[data-state=stored]")).to_have_count(1)
    page.click("#cancel")

    expect(page.locator("#outcome h3")).to_have_text("1 stored, 1 cancelled.", use_inner_text=True)
    assert {key.rpartition("/")[2] for key in example.keys() - before} == {"small.txt"}


def test_a_file_can_be_left_out(page: Page, example: Example, tmp_path: Path) -> None:
    """Before it is sent; further choices are added to the list."""
    files = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for file in files:
        file.write_text(file.name)
    page.goto(f"{example.pages}/post")
    page.set_input_files("#file", files[:2])
    page.set_input_files("#file", files[2:])
    page.get_by_role("button", name="Leave out a.txt").click()
    assert page.locator("#chosen .file b").all_inner_texts() == ["b.txt", "c.txt"]
    finish(page, "2 stored.")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_a_long_list_fits_a_telephone(
    visitor: Callable[..., BrowserContext], example: Example, tmp_path: Path, locale: str
) -> None:
    """Long names wrap, the list scrolls in itself, and the button stays in reach."""
    page = visitor(viewport={"width": 390, "height": 844}, locale=locale).new_page()
    files = [tmp_path / f"{'a-very-long-name-' * 6}{number}.txt" for number in range(40)]
    for file in files:
        file.touch()
    page.goto(f"{example.pages}/put")
    page.set_input_files("#file", files)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("#chosen").bounding_box()
    assert box is not None and box["height"] <= 400
