"""The first page is true: its commands do what it says as they stand; its table is what is offered."""

import json
import re
from pathlib import Path

from docs.following import Reader
from docs.reading import HOUSE, table_of
from meiku import model, ops

README = HOUSE / "README.md"
# Query names that only say which of several, or in which form; the row's other name says what it is about.
DETAILS = {"id", "select-type", "styleName"}


def test_its_commands_work_in_their_order(tmp_path: Path) -> None:
    """`make serve`, a bucket, boto3, curl, a signed form and `explain`, in one shell of a fresh copy."""
    reader = Reader(tmp_path).move_in()
    said = reader.follow(
        README,
        after="""
            curl -fs "$(python3 -c 'import boto3; print(boto3.client("s3").generate_presigned_url(
                "get_object", dict(Bucket="photos", Key="cats/cat.jpg")))')"
            echo; ./meiku bucket list --json
        """,
    )
    assert "a cat" in said, "what curl put is what boto3's address gives"
    assert "http://photos.localhost:" in said and "'policy'" in said, "the form is ready for the page"
    assert "refused" in said.split("## line")[-1], "a URL for GET is of no use for a PUT"
    assert [each["name"] for each in json.loads(said[said.rindex("[") :])].count("photos") == 1


def subresources(offered: bool) -> set[str]:
    """The query names that S3 has for what is offered, or for what is not."""
    named = ops.offered().keys()
    wanted = [operation for name, operation in model.operations().items() if (name in named) is offered]
    return {query for operation in wanted for query in operation.required_query} - DETAILS


def rows(answer: str) -> set[str]:
    """The query names in the rows that begin with yes, or with no."""
    table = table_of(README, "## What is there, and what is not")
    return {name for row in table if row[0] == answer for name in re.findall(r"`\?([\w-]+)`", row[2])}


def test_its_table_is_what_is_offered() -> None:
    """Every request that S3 has and that is not offered is in a row with no; no other is."""
    assert rows("no") == subresources(offered=False)


def test_its_table_promises_nothing_more() -> None:
    """Every request in a row with yes is offered; of the nine names for recipes the table gives one."""
    recipes = {name for name in subresources(offered=True) if re.fullmatch(r"x-\w+-process", name)}
    assert rows("yes") == subresources(offered=True) - recipes | {"x-amz-process"}
