"""ObjectPage, compared page by page with the plainest possible meaning of it."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing import often
from meiku.meta import Meta, buckets, listing, objects, uploads
from meiku.meta.listing import BEHIND_ALL_KEYS, successor
from meiku.meta.records import EMPTY, ObjectPage, ObjectRecord, UploadListing, UploadRecord
from meiku.meta.sqlite import open_sqlite
from meiku.meta.transaction import Statement, Transaction

KEYS = st.text(alphabet="ab/0é\U0001f600", min_size=1, max_size=6).map(str.encode)
PREFIXES = st.text(alphabet="ab/", max_size=3).map(str.encode)
DELIMITERS = st.sampled_from([b"", b"/", b"a", b"//", "é".encode()])


def naive(keys: set[bytes], prefix: bytes, delimiter: bytes, after: bytes) -> list[tuple[bytes, bool]]:
    """List what S3 lists: each key, or the common prefix it folds into, once; in order; behind the marker."""
    entries = set()
    for key in keys:
        if not key.startswith(prefix):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        entries.add((key, False) if end < 0 else (key[: end + len(delimiter)], True))
    return sorted(
        entry
        for entry in entries
        if not after or (entry[0] > after and not (entry[1] and after.startswith(entry[0])))
    )


def shown(page: ObjectPage) -> list[tuple[bytes, bool]]:
    keys = [(key, False) for key in page.objects.keys]
    return sorted(keys + [(prefix, True) for prefix in page.common_prefixes])


async def filled(path: Path, keys: set[bytes]) -> tuple[Meta, int]:
    meta = await open_sqlite(path / "meta.sqlite")
    bucket = await meta.write(buckets.add_bucket, "b", "u", 0, "", {})
    other = await meta.write(buckets.add_bucket, "other", "u", 0, "", {})

    def fill() -> Transaction[None]:
        for key in keys:
            record = ObjectRecord(key, 1, "e", 2, "u", "STANDARD", EMPTY)
            yield from objects.put_object(bucket.bucket_id, record, None, None, 0)
        yield from objects.put_object(
            other.bucket_id, ObjectRecord(b"a", 1, "e", 2, "u", "STANDARD", EMPTY), None, None, 0
        )

    await meta.write(fill)
    return meta, bucket.bucket_id


@settings(max_examples=often(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.sets(KEYS, max_size=40),
    prefix=PREFIXES,
    delimiter=DELIMITERS,
    after=st.one_of(st.just(b""), KEYS),
    limit=st.integers(1, 12),
)
def test_pages_together_are_the_whole_listing(
    tmp_path_factory: pytest.TempPathFactory,
    keys: set[bytes],
    prefix: bytes,
    delimiter: bytes,
    after: bytes,
    limit: int,
) -> None:
    """For any keys, prefix, delimiter, marker and page size the pages equal the naive listing."""

    async def story() -> None:
        meta, bucket_id = await filled(tmp_path_factory.mktemp("m"), keys)
        expected = naive(keys, prefix, delimiter, after)
        marker: bytes | None = after
        while marker is not None:
            page = await meta.read(listing.list_objects, bucket_id, prefix, delimiter, marker, False, limit)
            assert shown(page) == expected[:limit]
            assert page.truncated == (len(expected) > limit) == (page.next_after is not None)
            expected, marker = expected[limit:], page.next_after
        assert expected == []
        await meta.close()

    asyncio.run(story())


@settings(max_examples=often(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=st.sets(st.tuples(KEYS, st.sampled_from(["1", "2", "3"])), max_size=30),
    prefix=PREFIXES,
    delimiter=DELIMITERS,
    limit=st.integers(1, 8),
)
def test_pages_of_uploads_together_are_all_uploads(
    tmp_path_factory: pytest.TempPathFactory,
    entries: set[tuple[bytes, str]],
    prefix: bytes,
    delimiter: bytes,
    limit: int,
) -> None:
    """Uploads come by key and id, several of a key included, none twice and none left out."""
    folds = [entry for entry in naive({key for key, _ in entries}, prefix, delimiter, b"") if entry[1]]
    plain = [entry[0] for entry in naive({key for key, _ in entries}, prefix, delimiter, b"") if not entry[1]]

    def fill(bucket_id: int) -> Transaction[None]:
        for key, number in entries:
            record = UploadRecord(key.hex() + number, bucket_id, key, 0, "u", "u", "STANDARD")
            yield from uploads.add_upload(record)

    async def story() -> None:
        meta, bucket_id = await filled(tmp_path_factory.mktemp("m"), set())
        await meta.write(fill, bucket_id)
        found: list[UploadRecord] = []
        prefixes: list[bytes] = []
        marks: tuple[bytes, str] | None = (b"", "")
        while marks is not None:
            page: UploadListing = await meta.read(
                uploads.list_uploads, bucket_id, prefix, delimiter, *marks, limit
            )
            assert len(page.uploads) + len(page.common_prefixes) <= limit
            found += page.uploads
            prefixes += page.common_prefixes
            marks = (
                (page.next_key_marker or b"", page.next_upload_id_marker or "") if page.truncated else None
            )
        expected = sorted((key, number) for key, number in entries if key in plain)
        assert [(record.key, record.upload_id) for record in found] == [(k, k.hex() + n) for k, n in expected]
        assert [(prefix, True) for prefix in prefixes] == folds
        await meta.close()

    asyncio.run(story())


def pages(flow: Transaction[ObjectPage], rows: list[list[tuple[object, ...]]]) -> tuple[int, ObjectPage]:
    """Drive a flow by hand with canned rows; tells how many statements it took."""
    statements = 1
    next(flow)
    for answer in rows:
        try:
            flow.send(answer)
        except StopIteration as stop:
            return statements, stop.value
        statements += 1
    raise AssertionError("the flow wanted more rows")


def row(key: bytes) -> tuple[object, ...]:
    return (key, 1, "e", 2, "u", "STANDARD", "{}")


def test_a_folded_prefix_is_passed_with_one_look(tmp_path: Path) -> None:
    """A page costs what it returns: 50 prefixes of 200 keys each are listed by reading few of the keys."""

    async def story() -> None:
        keys = {b"p%02d/%03d" % (number, key) for number in range(50) for key in range(200)}
        meta, bucket_id = await filled(tmp_path, keys)
        read_rows = 0

        def counted() -> Transaction[ObjectPage]:
            nonlocal read_rows
            flow = listing.list_objects(bucket_id, b"", b"/", b"", False, 1000)
            statement: Statement = next(flow)
            while True:
                rows = yield statement
                read_rows += len(rows)
                try:
                    statement = flow.send(rows)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]

        page = await meta.read(counted)
        assert page.common_prefixes == [b"p%02d/" % number for number in range(50)]
        assert read_rows < 50 * 20
        await meta.close()

    asyncio.run(story())


def test_a_plain_page_is_one_statement() -> None:
    """Without a delimiter one range query answers a page of a thousand."""
    flow = listing.list_objects(1, b"", b"", b"", False, 1000)
    statements, page = pages(flow, [[row(b"%06d" % number) for number in range(1001)]])
    assert (
        statements == 1 and len(page.objects.keys) == 1000 and page.truncated and page.next_after == b"000999"
    )


def test_an_inclusive_start_shows_the_key_itself(tmp_path: Path) -> None:
    """An inclusive start begins at the key it names; an exclusive one behind it."""

    async def story() -> None:
        meta, bucket_id = await filled(tmp_path, {b"a", b"b", b"c"})
        for inclusive, expected in ((True, [b"b", b"c"]), (False, [b"c"])):
            page = await meta.read(listing.list_objects, bucket_id, b"", b"", b"b", inclusive, 10)
            assert list(page.objects.keys) == expected
        await meta.close()

    asyncio.run(story())


def test_a_page_of_nothing_is_not_truncated(tmp_path: Path) -> None:
    """A page size of zero answers nothing, and does not promise more."""

    async def story() -> None:
        meta, bucket_id = await filled(tmp_path, {b"a"})
        page = await meta.read(listing.list_objects, bucket_id, b"", b"/", b"", False, 0)
        assert page == ObjectPage(common_prefixes=[])
        await meta.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("prefix", "behind"),
    [(b"a", b"b"), (b"a/", b"a0"), (b"a\xff", b"b"), (b"\xff\xff", BEHIND_ALL_KEYS), (b"", BEHIND_ALL_KEYS)],
)
def test_the_successor_lies_behind_all_that_begin_so(prefix: bytes, behind: bytes) -> None:
    """The successor of a prefix is greater than every key with it, and no other key lies between."""
    assert successor(prefix) == behind
    assert prefix + b"\xff" * 900 < behind
