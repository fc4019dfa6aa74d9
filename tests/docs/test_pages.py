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
PAGES = sorted([*HOUSE.glob("*.md"), *DOCS.glob("*.md"), *HOUSE.glob("examples/*/*.md")])
_COMMAND = re.compile(r"(\$ )?(curl|aws|s3cmd|rclone|mc|(\./)?meiku|make|pip|python3?|scripts/\S+|pytest) ")
FOLLOWED = {
    "README",
    "clients",
    "durability",
    "explain",
    "media",
    "metrics",
    "moving",
    "proxies",
    "public",
    "uploads",
}
# For pages that say things of a service that is there already, with its bucket and a picture of 600 by 400.
SERVICE = """
    ./meiku serve > served.log 2>&1 &
    until curl -fs http://127.0.0.1:9000/-/ready; do sleep 0.1; done
    ./meiku bucket make photos
    eval "$(./meiku env)"
    python3 -c 'from PIL import Image; Image.new("RGB", (600, 400)).save("cat.jpg")'
    aws s3 cp cat.jpg s3://photos/cat.jpg
"""


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


def test_media(tmp_path: Path) -> None:
    """The presigned address answers with a WebP, and the POST has kept a JPEG of 400 pixels."""
    after = """
        address=$(grep -o 'http://127[^ ]*X-Amz-Signature[^ ]*' ../said)
        curl -fs "$address" | head -c 12 | tail -c 4; echo
        aws s3 cp s3://photos/small.jpg small.jpg
        python3 -c 'from PIL import Image; print(Image.open("small.jpg").size)'
    """
    said = Reader(tmp_path).move_in().follow(DOCS / "media.md", SERVICE, after)
    assert "WEBP\n" in said
    assert "(400, 267)" in said


def test_durability(tmp_path: Path) -> None:
    """Checked, backed up twice, restored: what is served from there is what was put."""
    after = """
        eval "$(./meiku env --data restored --endpoint-url http://127.0.0.1:9001)"
        aws s3 cp s3://photos/cat.jpg back.jpg
        cmp cat.jpg back.jpg && echo the same
    """
    said = Reader(tmp_path).move_in().follow(DOCS / "durability.md", SERVICE, after)
    assert said.endswith("the same\n")


def test_metrics(tmp_path: Path) -> None:
    """Every figure that the page names is in the answer, once a round of the scrub has ended."""
    finished = """
        until curl -fs http://127.0.0.1:9000/-/metrics | grep scrub_finished; do sleep 0.2; done
        curl -s http://127.0.0.1:9000/-/metrics
    """
    often = "export MEIKU_SCRUB_INTERVAL_S=1 MEIKU_SWEEP_INTERVAL_S=1"
    said = Reader(tmp_path).move_in().follow(DOCS / "metrics.md", often + SERVICE, finished)
    named = re.findall(r"`(meiku_\w+)", (DOCS / "metrics.md").read_text("utf-8"))
    assert named and [name for name in named if name not in said] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_called_so(page: Path) -> None:
    """A block that begins with a command has the fence of one, so that a test must follow it."""
    blocks = [block for block in blocks_of(page) if block.language not in RUN]
    assert not [block.line for block in blocks if _COMMAND.match(block.text)]
    assert not re.search(rf"^    {_COMMAND.pattern}", page.read_text("utf-8"), re.MULTILINE)


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
