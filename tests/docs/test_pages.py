"""The how-to pages: each is followed as it stands, and does what it says.

Those that need nginx, Caddy or rclone are followed in tests/full.
"""

import re
from pathlib import Path

import pytest

from docs.following import Reader
from docs.reading import HOUSE, REASONS, RUN, blocks_of, headings_of
from meiku import __version__

DOCS = HOUSE / "docs"
PAGES = sorted([*HOUSE.glob("*.md"), *DOCS.glob("*.md")])
FOLLOWED = {"README", "clients", "explain", "moving", "proxies", "public", "uploads"}


def test_a_public_bucket(tmp_path: Path) -> None:
    """Strangers read what the page says, in both forms of the address, until the bucket is shut."""
    said = (
        Reader(tmp_path)
        .move_in()
        .follow(DOCS / "public.md", after="curl -s http://127.0.0.1:9000/site/index.html")
    )
    assert said.count("<h1>hello</h1>") == 3
    assert said.rstrip().endswith("</Error>"), "shut again"


def test_uploads(tmp_path: Path) -> None:
    """The form and the presigned PUT both store the cat, with its type; the page's origin may send."""
    after = """
        aws s3 cp s3://photos/users/7/cat.jpg -
        aws s3api head-object --bucket photos --key users/7/cat-2.jpg --query ContentType
        curl -si -X OPTIONS -H 'Origin: http://localhost:8080' -H 'Access-Control-Request-Method: PUT' \\
            -H 'Access-Control-Request-Headers: content-type' http://127.0.0.1:9000/photos/users/7/cat-2.jpg
        curl -s --config arguments --form-string 'key=users/8/x' --form-string 'Content-Type=image/jpeg' \\
            --form 'file=@cat.jpg' http://127.0.0.1:9000/photos
    """
    said = Reader(tmp_path).move_in().follow(DOCS / "uploads.md", after=after)
    assert "a cat" in said and '"image/jpeg"' in said
    assert "<PostResponse" in said, "success_action_status 201"
    assert "access-control-allow-origin: http://localhost:" in said.lower()
    assert "<Code>AccessDenied</Code>" in said, "another user's folder"


def test_explanations(tmp_path: Path) -> None:
    """The server and the command line both say what the URL was signed for; the policy, what failed."""
    said = Reader(tmp_path).move_in().follow(DOCS / "explain.md")
    assert "<LikelyCause>The client signed the method GET" in said
    assert said.count("refused 会被拒绝") == 2
    assert "accepted 会被接受" in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_typed_is_followed(page: Path) -> None:
    """A block of commands is typed by a test, or says by one of a few reasons why not."""
    typed = [block for block in blocks_of(page) if block.language in RUN]
    for block in typed:
        assert block.reason is None or block.reason in REASONS, f"line {block.line}: {block.reason}"
    name = page.name.split(".")[0]
    left = [block for block in typed if block.language == "sh" and block.reason is None]
    assert name in FOLLOWED or not left, "nobody follows this page"


def test_the_changelog_knows_this_version() -> None:
    """The newest version in the changelog is the package's."""
    assert headings_of(HOUSE / "CHANGELOG.md")[1][1].startswith(f"{__version__},")


def test_nothing_is_installed_that_is_not_published() -> None:
    """Nowhere is a reader told to fetch meiku by its name from an index: it is in none."""
    told = re.compile(r"pip install (?:\S+ )*['\"]?meiku\b")
    files = [*HOUSE.glob("*.md"), *DOCS.glob("*.md")]
    files += [path for folder in ("src", "examples") for path in (HOUSE / folder).rglob("*.[phm]*")]
    assert not [path for path in files if path.is_file() and told.search(path.read_text("utf-8", "ignore"))]
