"""The contract of `Meta` and its statements, held against every driver."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from meiku import errors
from meiku.meta import Meta, buckets, objects, parts, released, results, stored, uploads, users
from meiku.meta.records import (
    EMPTY,
    BucketRecord,
    Condition,
    Content,
    KeyRecord,
    ObjectRecord,
    PartRecord,
    UploadRecord,
    UserRecord,
)
from meiku.meta.sqlite import open_sqlite
from meiku.meta.transaction import Statement, Transaction

Story = Callable[[Meta], Awaitable[None]]
Driver = Callable[[Story], None]
ANN = UserRecord("u1", "ann", "Ann@example.org", 1, True)
KEY = KeyRecord("AK", "secret", "u1", 2, True)


@pytest.fixture(params=["sqlite"])
def driver(tmp_path: Path) -> Driver:
    """Give a way to tell a story to a fresh store."""

    async def tell(story: Story) -> None:
        meta = await open_sqlite(tmp_path / "meta.sqlite")
        try:
            await story(meta)
        finally:
            await meta.close()

    return lambda story: asyncio.run(tell(story))


def an_object(key: bytes = b"k", content: Content = EMPTY, etag: str = "e1") -> ObjectRecord:
    return ObjectRecord(key, 3, etag, 7, "u1", "STANDARD", content, '{"a": 1}', '{"b": 2}', '{"c": 3}', None)


def an_upload(bucket: BucketRecord, upload_id: str = "up", key: bytes = b"k") -> UploadRecord:
    return UploadRecord(
        upload_id, bucket.bucket_id, key, 5, "u1", "u2", "STANDARD", "{}", "{}", None, "CRC32", "COMPOSITE"
    )


def a_part(number: int, size_bytes: int = 10, blob_id: str = "", etag: str = "") -> PartRecord:
    return PartRecord("up", number, size_bytes, etag or f"p{number}", 6, "blob", blob_id or f"b{number}")


async def a_bucket(meta: Meta, name: str = "photos") -> BucketRecord:
    return await meta.write(buckets.add_bucket, name, "u1", 3, "", {})


async def blobs_released(meta: Meta) -> list[str]:
    return sorted(await meta.read(released.take_released, 1 << 60, 1000))


async def take_apart(meta: Meta, before_ms: int = 1 << 60) -> None:
    while await meta.write(released.take_apart, before_ms, 2):
        pass


def count(table: str) -> Transaction[int]:
    rows = yield Statement(f"SELECT COUNT(*) FROM {table}")
    return int(rows[0][0])


# Users and keys


def test_users_are_found_by_id_name_and_address(driver: Driver) -> None:
    """A user is found by each of its names, the address in any case; no address finds nobody."""

    async def story(meta: Meta) -> None:
        await meta.write(users.add_user, ANN)
        await meta.write(users.add_user, UserRecord("u2", "bob", "", 1, True))
        await meta.write(users.add_user, UserRecord("u3", "eve", "", 1, True))
        assert await meta.read(users.find_user, "u1") == ANN
        assert await meta.read(users.find_user_by_name, "ann") == ANN
        assert await meta.read(users.find_user_by_email, "ann@EXAMPLE.org") == ANN
        assert await meta.read(users.find_user_by_email, "") is None
        assert await meta.read(users.find_user, "nobody") is None
        assert [user.name for user in await meta.read(users.list_users)] == ["ann", "bob", "eve"]

    driver(story)


@pytest.mark.parametrize("twin", [("u1", "b", "b@x"), ("u2", "ann", "b@x"), ("u2", "b", "ann@example.ORG")])
def test_a_user_is_unique(driver: Driver, twin: tuple[str, str, str]) -> None:
    """A second user of the same id, name or address is a Conflict and changes nothing."""

    async def story(meta: Meta) -> None:
        await meta.write(users.add_user, ANN)
        with pytest.raises(errors.Conflict):
            await meta.write(users.add_user, UserRecord(*twin, 9, True))
        assert await meta.read(users.list_users) == [ANN]

    driver(story)


def test_a_key_is_found_with_its_user(driver: Driver) -> None:
    """find_key answers who a request is from, temporary keys included; an unknown key is None."""

    async def story(meta: Meta) -> None:
        await meta.write(users.add_user, ANN)
        session = KeyRecord("ASIA", "s", "u1", 3, False, "token", 99)
        for key in (KEY, session):
            await meta.write(users.add_key, key)
            assert await meta.read(users.find_key, key.access_key) == (key, ANN)
        assert await meta.read(users.find_key, "nope") is None
        assert await meta.read(users.list_keys, "u1") == [KEY, session]
        assert await meta.read(users.list_keys, None) == [KEY, session]
        assert await meta.read(users.list_keys, "u2") == []

    driver(story)


def test_a_key_is_unique_and_somebodys(driver: Driver) -> None:
    """A second key of the same name is a Conflict; a key of nobody is Missing its user."""

    async def story(meta: Meta) -> None:
        with pytest.raises(errors.Missing):
            await meta.write(users.add_key, KEY)
        await meta.write(users.add_user, ANN)
        await meta.write(users.add_key, KEY)
        with pytest.raises(errors.Conflict):
            await meta.write(users.add_key, KEY)

    driver(story)


def test_switching_and_removing_keys_and_users(driver: Driver) -> None:
    """Switches are stored; removal tells whether there was anything; a user takes its keys along."""

    async def story(meta: Meta) -> None:
        await meta.write(users.add_user, ANN)
        await meta.write(users.add_key, KEY)
        await meta.write(users.add_key, KeyRecord("ASIA", "s", "u1", 3, True, "t", 99))
        assert await meta.write(users.set_key_active, "AK", False)
        assert await meta.write(users.set_user_active, "u1", False)
        found = await meta.read(users.find_key, "AK")
        assert found is not None and not found[0].active and not found[1].active
        assert not await meta.write(users.remove_expired_keys, 99)
        assert await meta.write(users.remove_expired_keys, 100)
        assert [key.access_key for key in await meta.read(users.list_keys, None)] == ["AK"]
        assert not await meta.write(users.remove_key, "nope")
        assert await meta.write(users.remove_user, "u1")
        assert not await meta.write(users.remove_user, "u1")
        assert await meta.read(users.list_keys, None) == []

    driver(story)


def test_a_user_with_buckets_stays(driver: Driver) -> None:
    """Removing a user that owns buckets is a Conflict and leaves its keys."""

    async def story(meta: Meta) -> None:
        await meta.write(users.add_user, ANN)
        await meta.write(users.add_key, KEY)
        await a_bucket(meta)
        with pytest.raises(errors.Conflict):
            await meta.write(users.remove_user, "u1")
        assert await meta.read(users.find_key, "AK") == (KEY, ANN)

    driver(story)


# Buckets


def test_a_bucket_is_found_with_its_settings(driver: Driver) -> None:
    """Settings are loaded with the bucket; putting None removes one."""

    async def story(meta: Meta) -> None:
        made = await meta.write(buckets.add_bucket, "photos", "u1", 3, "cn", {"acl": "{}", "cors": "[]"})
        assert await meta.read(buckets.find_bucket, "photos") == made
        await meta.write(buckets.put_setting, made.bucket_id, "cors", "[1]")
        await meta.write(buckets.put_setting, made.bucket_id, "acl", None)
        found = await meta.read(buckets.find_bucket, "photos")
        assert found is not None and found.settings == {"cors": "[1]"} and found.location == "cn"
        assert await meta.read(buckets.find_bucket, "other") is None
        with pytest.raises(errors.Missing):
            await meta.write(buckets.put_setting, 999, "acl", "{}")

    driver(story)


def test_a_setting_that_many_change_at_once_loses_no_change(driver: Driver) -> None:
    """Each change is made to what the one before left; what one raises is undone, and its own affair."""

    async def story(meta: Meta) -> None:
        made = await a_bucket(meta)

        def adding(letter: str) -> Callable[[str | None], str | None]:
            return lambda document: (document or "") + letter

        def refusing(_document: str | None) -> str | None:
            raise errors.InvalidArgument("no")

        changes = [adding(letter) for letter in "abcdefghij"]
        changes.insert(5, refusing)
        results = await asyncio.gather(
            *(meta.write(buckets.change_setting, made.bucket_id, "k", change) for change in changes),
            return_exceptions=True,
        )
        assert [type(result) for result in results if result is not None] == [errors.InvalidArgument]
        found = await meta.read(buckets.find_bucket, "photos")
        assert found is not None and sorted(found.settings["k"]) == list("abcdefghij")
        await meta.write(buckets.change_setting, made.bucket_id, "k", lambda _: None)
        found = await meta.read(buckets.find_bucket, "photos")
        assert found is not None and found.settings == {}
        with pytest.raises(errors.Missing):
            await meta.write(buckets.change_setting, 999, "k", adding("a"))

    driver(story)


def test_a_bucket_name_is_unique(driver: Driver) -> None:
    """A second bucket of the same name is a Conflict, whoever asks."""

    async def story(meta: Meta) -> None:
        await a_bucket(meta)
        with pytest.raises(errors.Conflict):
            await meta.write(buckets.add_bucket, "photos", "u2", 3, "", {"acl": "{}"})
        assert await meta.read(count, "bucket_settings") == 0

    driver(story)


def test_buckets_are_listed_by_name_in_pages(driver: Driver) -> None:
    """An owner's buckets come in order, behind a name, under a prefix, up to a limit, with their settings."""

    async def story(meta: Meta) -> None:
        for name in ("b2", "a1", "b1", "c_%"):
            await meta.write(buckets.add_bucket, name, "u1", 3, "", {"acl": name, "cors": "x"})
        await meta.write(buckets.add_bucket, "b3", "u2", 3, "", {})

        async def names(*args: object) -> list[str]:
            return [bucket.name for bucket in await meta.read(buckets.list_buckets, "u1", *args)]  # type: ignore[arg-type]

        assert await names() == ["a1", "b1", "b2", "c_%"]
        assert await names("a1", 2) == ["b1", "b2"]
        assert await names("", 100, "b") == ["b1", "b2"]
        assert await names("", 100, "%") == []
        listed = await meta.read(buckets.list_buckets, "u1")
        assert [bucket.settings["acl"] for bucket in listed] == ["a1", "b1", "b2", "c_%"]
        assert await meta.read(buckets.count_buckets, "u1") == 4

    driver(story)


def test_a_bucket_goes_only_when_empty(driver: Driver) -> None:
    """Objects and unfinished uploads keep a bucket; its settings go with it; removing it again is Missing."""

    async def story(meta: Meta) -> None:
        bucket = await meta.write(buckets.add_bucket, "photos", "u1", 3, "", {"acl": "{}"})
        await meta.write(objects.put_object, bucket.bucket_id, an_object(), None, None, 0)
        with pytest.raises(errors.Conflict):
            await meta.write(buckets.remove_bucket, bucket.bucket_id, 0, with_uploads=False)
        await meta.write(objects.remove_object, bucket.bucket_id, b"k", None, 0)
        await meta.write(uploads.add_upload, an_upload(bucket))
        with pytest.raises(errors.Conflict):
            await meta.write(buckets.remove_bucket, bucket.bucket_id, 0, with_uploads=False)
        await meta.write(uploads.abort_upload, "up", 0)
        await meta.write(buckets.remove_bucket, bucket.bucket_id, 0, with_uploads=False)
        assert await meta.read(buckets.find_bucket, "photos") is None
        assert await meta.read(count, "bucket_settings") == 0
        with pytest.raises(errors.Missing):
            await meta.write(buckets.remove_bucket, bucket.bucket_id, 0, with_uploads=False)

    driver(story)


def test_a_bucket_id_is_never_used_again(driver: Driver) -> None:
    """A write that still holds the id of a removed bucket cannot land in a later one of the same name."""

    async def story(meta: Meta) -> None:
        first = await a_bucket(meta)
        await meta.write(buckets.remove_bucket, first.bucket_id, 0, with_uploads=False)
        second = await a_bucket(meta)
        assert second.bucket_id != first.bucket_id
        with pytest.raises(errors.Missing):
            await meta.write(objects.put_object, first.bucket_id, an_object(), b"abc", None, 0)
        with pytest.raises(errors.Missing):
            await meta.write(uploads.add_upload, an_upload(first))
        assert await meta.read(count, "inline_bytes") == await meta.read(count, "objects") == 0

    driver(story)


# Objects


def test_an_inline_object_is_read_in_one_look(driver: Driver) -> None:
    """Inline bytes come with the record; any other content comes without."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        stored = await meta.write(objects.put_object, bucket_id, an_object(), b"a\0b", None, 0)
        assert stored.content.kind == "inline" and stored.content.id is not None
        assert await meta.read(objects.find_object, bucket_id, b"k") == stored
        assert await meta.read(objects.find_object_with_bytes, bucket_id, b"k") == (stored, b"a\0b")
        assert await meta.read(objects.read_inline, stored.content.id) == b"a\0b"
        for content in (EMPTY, Content("blob", "b1")):
            other = an_object(b"other", content)
            assert await meta.write(objects.put_object, bucket_id, other, None, None, 0) == other
            assert await meta.read(objects.find_object_with_bytes, bucket_id, b"other") == (other, None)
        assert await meta.read(objects.find_object_with_bytes, bucket_id, b"none") is None
        assert await meta.read(objects.find_object, bucket_id + 1, b"k") is None
        with pytest.raises(errors.Missing):
            await meta.read(objects.read_inline, "99")

    driver(story)


def test_replacing_an_object_releases_its_content(driver: Driver) -> None:
    """Of what an object pointed at, inline bytes go at once and blobs wait for their grace period."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        put = objects.put_object
        await meta.write(put, bucket_id, an_object(), b"one", None, 10)
        await meta.write(put, bucket_id, an_object(), b"two", None, 10)
        assert await meta.read(count, "inline_bytes") == 1
        await meta.write(put, bucket_id, an_object(b"k", Content("blob", "b1")), None, None, 10)
        assert await meta.read(count, "inline_bytes") == 0
        assert await blobs_released(meta) == []
        await meta.write(put, bucket_id, an_object(b"k", Content("blob", "b2")), None, None, 20)
        await meta.write(objects.remove_object, bucket_id, b"k", None, 30)
        assert await meta.read(released.take_released, 20, 9) == []
        assert await meta.read(released.take_released, 21, 9) == ["b1"]
        assert await meta.read(released.take_released, 31, 9) == ["b1", "b2"]
        await meta.write(released.forget_released, ["b1"])
        assert await blobs_released(meta) == ["b2"]

    driver(story)


@pytest.mark.parametrize("inline", [None, b"abc"])
def test_a_record_may_keep_the_content_it_replaces(driver: Driver, inline: bytes | None) -> None:
    """Replacing only what is said about an object neither moves nor releases its bytes."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        first = an_object(content=EMPTY if inline else Content("blob", "b1"))
        stored = await meta.write(objects.put_object, bucket_id, first, inline, None, 0)
        renamed = an_object(content=stored.content, etag="e2")
        await meta.write(objects.put_object, bucket_id, renamed, None, None, 0)
        assert await meta.read(objects.find_object_with_bytes, bucket_id, b"k") == (renamed, inline)
        assert await blobs_released(meta) == []

    driver(story)


def test_a_record_cannot_point_at_what_was_released(driver: Driver) -> None:
    """A write that lost its content to another write meanwhile is Missing it, and stores nothing."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        blob = an_object(content=Content("blob", "b1"))
        await meta.write(objects.put_object, bucket_id, blob, None, None, 0)
        inline = await meta.write(objects.put_object, bucket_id, an_object(), b"abc", None, 0)
        await meta.write(objects.remove_object, bucket_id, b"k", None, 0)
        for late in (blob, inline, an_object(content=Content("parts", "up"))):
            with pytest.raises(errors.Missing):
                await meta.write(objects.put_object, bucket_id, late, None, None, 0)
        assert await meta.read(count, "objects") == 0

    driver(story)


@pytest.mark.parametrize(
    ("condition", "holds_without", "holds_with"),
    [
        (None, True, True),
        (Condition(), True, True),
        (Condition(if_none_match="*"), True, False),
        (Condition(if_none_match="e1"), True, False),
        (Condition(if_none_match="e2"), True, True),
        (Condition(if_match="e1"), False, True),
        (Condition(if_match="e2"), False, False),
        (Condition(if_match="*"), False, True),
    ],
)
def test_a_write_depends_on_its_condition(
    driver: Driver, condition: Condition | None, holds_without: bool, holds_with: bool
) -> None:
    """Puts and removals happen exactly when the condition holds; Unmet names the etag found."""

    async def attempt(meta: Meta, bucket_id: int, holds: bool, found: str | None) -> None:
        put = meta.write(objects.put_object, bucket_id, an_object(etag="new"), b"new", condition, 0)
        if holds:
            assert (await put).etag == "new"
            return
        for write in (put, meta.write(objects.remove_object, bucket_id, b"k", condition, 0)):
            with pytest.raises(errors.Unmet) as raised:
                await write
            assert raised.value.args == (found,)

    async def story(meta: Meta) -> None:
        without, with_one = await a_bucket(meta, "without"), await a_bucket(meta, "with")
        await meta.write(objects.put_object, with_one.bucket_id, an_object(), b"abc", None, 0)
        await attempt(meta, without.bucket_id, holds_without, None)
        await attempt(meta, with_one.bucket_id, holds_with, "e1")
        assert await meta.read(count, "objects") == 1 + holds_without
        assert await meta.read(count, "inline_bytes") == 1 + holds_without

    driver(story)


def test_only_one_of_many_creates_wins(driver: Driver) -> None:
    """Of writers that each insist on being first, exactly one is."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        only_new = Condition(if_none_match="*")
        answers = await asyncio.gather(
            *[
                meta.write(objects.put_object, bucket_id, an_object(etag=f"e{n}"), b"x", only_new, 0)
                for n in range(50)
            ],
            return_exceptions=True,
        )
        winners = [answer for answer in answers if isinstance(answer, ObjectRecord)]
        assert len(winners) == 1
        assert sum(isinstance(answer, errors.Unmet) for answer in answers) == 49
        assert await meta.read(objects.find_object, bucket_id, b"k") == winners[0]
        assert await meta.read(count, "inline_bytes") == 1

    driver(story)


def test_removing_tells_what_was_there(driver: Driver) -> None:
    """Removal returns the record removed, several removals the keys that existed; nothing else goes."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        for key in (b"a", b"b", b"c"):
            await meta.write(objects.put_object, bucket_id, an_object(key), key, None, 0)
        found = await meta.read(objects.find_object, bucket_id, b"a")
        assert await meta.write(objects.remove_object, bucket_id, b"a", None, 0) == found
        assert await meta.write(objects.remove_object, bucket_id, b"a", None, 0) is None
        assert await meta.write(objects.remove_objects, bucket_id, [b"a", b"b", b"b", b"x"], 0) == {b"b"}
        assert await meta.read(count, "objects") == await meta.read(count, "inline_bytes") == 1

    driver(story)


def test_an_acl_is_replaced_alone(driver: Driver) -> None:
    """Replacing the ACL touches nothing else, and happens only to the very version that was judged."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        stored = await meta.write(objects.put_object, bucket_id, an_object(), b"abc", None, 0)
        await meta.write(objects.replace_acl, bucket_id, stored, '{"x": 1}')
        found = await meta.read(objects.find_object, bucket_id, b"k")
        assert found is not None and found.acl == '{"x": 1}' and found.content == stored.content
        with pytest.raises(errors.Replaced):
            await meta.write(objects.replace_acl, bucket_id, stored, "{}")
        again = await meta.write(objects.put_object, bucket_id, an_object(), b"abc", None, 0)
        with pytest.raises(errors.Replaced):
            await meta.write(objects.replace_acl, bucket_id, found, "{}")
        await meta.write(objects.remove_object, bucket_id, b"k", None, 0)
        with pytest.raises(errors.Replaced):
            await meta.write(objects.replace_acl, bucket_id, again, "{}")

    driver(story)


# Uploads and parts


def test_parts_are_replaced_and_listed_by_number(driver: Driver) -> None:
    """A part of the same number replaces the former, which is released; pages go by number."""

    async def story(meta: Meta) -> None:
        upload = an_upload(await a_bucket(meta))
        await meta.write(uploads.add_upload, upload)
        assert await meta.read(uploads.find_upload, "up") == upload
        for number in (10, 2, 1):
            await meta.write(parts.put_part, "up", a_part(number), None)
        await meta.write(parts.put_part, "up", a_part(2, blob_id="b2b"), None)
        small = await meta.write(parts.put_part, "up", a_part(11), b"tail")
        assert small.content_kind == "inline" and small.content_id is not None
        assert await meta.read(objects.read_inline, small.content_id) == b"tail"
        listed = await meta.read(parts.list_parts, "up", 1, 2)
        assert listed == [a_part(2, blob_id="b2b"), a_part(10)]
        assert await meta.read(parts.list_parts, "up", 10, 5) == [small]
        assert await blobs_released(meta) == ["b2"]
        assert await meta.read(released.referenced, ["b1", "b2", "b2b", "x"]) == {"b1", "b2", "b2b"}

    driver(story)


def test_completing_keeps_the_chosen_parts_and_releases_the_rest(driver: Driver) -> None:
    """The object gets the chosen parts with their offsets; former object and left-out parts are released."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        former = an_object(content=Content("blob", "old"))
        await meta.write(objects.put_object, bucket.bucket_id, former, None, None, 0)
        await meta.write(uploads.add_upload, an_upload(bucket))
        for number, size in ((1, 10), (2, 99), (3, 20), (7, 5)):
            await meta.write(parts.put_part, "up", a_part(number, size), None)
        whole = an_object(content=Content("parts", "up"), etag="whole")
        chosen = [(1, "p1", 0), (3, "p3", 10), (7, "p7", 30)]
        assert await meta.write(uploads.complete_upload, "up", whole, chosen, None, 50) == whole
        assert await meta.read(objects.find_object, bucket.bucket_id, b"k") == whole
        found = await meta.read(parts.find_parts, "up", 0, 35, 100)
        assert [(part.part_number, part.offset_bytes) for part in found] == [(1, 0), (3, 10), (7, 30)]
        assert await blobs_released(meta) == ["b2", "old"]
        assert await meta.read(uploads.find_upload, "up") is None
        assert await meta.read(uploads.find_completed, "up") == (
            bucket.bucket_id,
            b"k",
            "whole",
            whole.checksums,
        )
        await meta.write(uploads.forget_completed, 50)
        assert await meta.read(uploads.find_completed, "up") is not None
        await meta.write(uploads.forget_completed, 51)
        assert await meta.read(uploads.find_completed, "up") is None

    driver(story)


@pytest.mark.parametrize("changed", ["nothing", "replaced", "sent again", "one more", "placed otherwise"])
def test_places_that_were_written_beforehand(driver: Driver, changed: str) -> None:
    """They are taken only where every part is still the chosen one in its place; else all is done anew."""
    sizes = {1: 10, 2: 20, 4: 5}
    chosen = [(1, "p1", 0), (2, "p2", 10), (4, "p4", 30)]

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        await meta.write(uploads.add_upload, an_upload(bucket))
        for number, size in sizes.items():
            await meta.write(parts.put_part, "up", a_part(number, size), None)
        for place in chosen:
            await meta.write(parts.place_parts, "up", [place])
        if changed == "replaced":
            await meta.write(parts.put_part, "up", a_part(2, 7, etag="other"), None)
        elif changed == "sent again":
            await meta.write(parts.put_part, "up", a_part(2, 20, blob_id="b2b"), None)
        elif changed == "one more":
            await meta.write(parts.put_part, "up", a_part(3, 99), None)
        elif changed == "placed otherwise":
            await meta.write(parts.place_parts, "up", [(2, "p2", 0), (4, "p4", 20)])
        whole = an_object(content=Content("parts", "up"))
        if changed == "replaced":
            with pytest.raises(errors.Conflict):
                await meta.write(uploads.complete_upload, "up", whole, chosen, None, 0)
            return
        await meta.write(uploads.complete_upload, "up", whole, chosen, None, 0)
        found = await meta.read(parts.find_parts, "up", 0, 35, 100)
        assert [(part.part_number, part.etag, part.offset_bytes) for part in found] == chosen

    driver(story)


def test_parts_of_an_object_are_not_placed(driver: Driver) -> None:
    """A second completion that comes late does not touch what the first one has made."""

    async def story(meta: Meta) -> None:
        await meta.write(uploads.add_upload, an_upload(await a_bucket(meta)))
        await meta.write(parts.put_part, "up", a_part(1), None)
        whole = an_object(content=Content("parts", "up"))
        await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0)], None, 0)
        with pytest.raises(errors.Missing):
            await meta.write(parts.place_parts, "up", [(1, "p1", 77)])
        [part] = await meta.read(parts.list_parts, "up", 0, 9)
        assert part.offset_bytes == 0

    driver(story)


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [2, 3, 7, 10000], [1, 2, 3, 5]])
def test_the_nth_part(driver: Driver, numbers: list[int]) -> None:
    """Parts are counted in their order, with or without gaps in their numbers."""

    async def story(meta: Meta) -> None:
        await meta.write(uploads.add_upload, an_upload(await a_bucket(meta)))
        for number in numbers:
            await meta.write(parts.put_part, "up", a_part(number), None)
        for ordinal, number in enumerate(numbers, 1):
            part = await meta.read(parts.nth_part, "up", ordinal, len(numbers))
            assert part == a_part(number)
        assert await meta.read(parts.nth_part, "up", len(numbers) + 1, len(numbers)) is None

    driver(story)


@pytest.mark.parametrize(
    ("start", "stop", "numbers"),
    [
        (0, 1, [1]),
        (0, 10, [1]),
        (9, 11, [1, 2]),
        (10, 30, [2]),
        (29, 36, [2, 3, 4]),
        (30, 31, [3]),
        (99, 100, []),
    ],
)
def test_a_range_finds_only_its_parts(driver: Driver, start: int, stop: int, numbers: list[int]) -> None:
    """A byte range of a completed upload is answered by exactly the parts it overlaps."""

    async def story(meta: Meta) -> None:
        await meta.write(uploads.add_upload, an_upload(await a_bucket(meta)))
        sizes = {1: 10, 2: 20, 3: 5, 4: 1}
        for number, size in sizes.items():
            await meta.write(parts.put_part, "up", a_part(number, size), None)
        whole = an_object(content=Content("parts", "up"))
        chosen = [(1, "p1", 0), (2, "p2", 10), (3, "p3", 30), (4, "p4", 35)]
        await meta.write(uploads.complete_upload, "up", whole, chosen, None, 0)
        found = await meta.read(parts.find_parts, "up", start, stop, 100)
        assert [part.part_number for part in found] == numbers

    driver(story)


@pytest.mark.parametrize("seed", range(6))
def test_any_range_of_any_parts(driver: Driver, seed: int) -> None:
    """However large parts are and whichever numbers they have, a range finds all it overlaps and no more."""
    luck = Random(seed)
    numbers = sorted(luck.sample(range(1, 40), 12)) if seed % 2 else list(range(1, 13))
    sizes = [10] * 12 if seed < 2 else [luck.choice((0, 1, 10, 10, 25)) for _ in numbers]

    async def story(meta: Meta) -> None:
        await meta.write(uploads.add_upload, an_upload(await a_bucket(meta)))
        for number, size in zip(numbers, sizes, strict=True):
            await meta.write(parts.put_part, "up", a_part(number, size), None)
        offsets = [sum(sizes[:index]) for index in range(len(sizes))]
        chosen = [(number, f"p{number}", at) for number, at in zip(numbers, offsets, strict=True)]
        await meta.write(
            uploads.complete_upload, "up", an_object(content=Content("parts", "up")), chosen, None, 0
        )
        for _ in range(60):
            start = luck.randrange(sum(sizes))
            stop = luck.randrange(start, sum(sizes)) + 1
            found = await meta.read(parts.find_parts, "up", start, stop, 100)
            lie = zip(numbers, offsets, sizes, strict=True)
            assert [p.part_number for p in found] == [
                n for n, at, size in lie if at < stop and at + size > start
            ]

    driver(story)


@pytest.mark.parametrize(
    "chosen",
    [[(1, "p1", 0), (2, "other", 10)], [(1, "p1", 0), (2, "p2", 10), (3, "p3", 20)], [(2, "p1", 0)]],
)
def test_completing_with_a_part_that_is_not_so_changes_nothing(
    driver: Driver, chosen: list[parts.Place]
) -> None:
    """A part replaced or absent is a Conflict that names its number; the upload goes on."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        await meta.write(uploads.add_upload, an_upload(bucket))
        for number in (1, 2):
            await meta.write(parts.put_part, "up", a_part(number), None)
        whole = an_object(content=Content("parts", "up"))
        with pytest.raises(errors.Conflict) as raised:
            await meta.write(uploads.complete_upload, "up", whole, chosen, None, 0)
        assert raised.value.args == (chosen[-1][0],)
        assert await meta.read(uploads.find_upload, "up") == an_upload(bucket)
        assert len(await meta.read(parts.list_parts, "up", 0, 9)) == 2
        assert await meta.read(objects.find_object, bucket.bucket_id, b"k") is None

    driver(story)


def test_completing_depends_on_its_condition(driver: Driver) -> None:
    """A conditional completion that is unmet leaves upload, parts and object as they were."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        former = await meta.write(objects.put_object, bucket.bucket_id, an_object(), b"abc", None, 0)
        await meta.write(uploads.add_upload, an_upload(bucket))
        await meta.write(parts.put_part, "up", a_part(1), None)
        whole = an_object(content=Content("parts", "up"))
        only_new = Condition(if_none_match="*")
        with pytest.raises(errors.Unmet):
            await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0)], only_new, 0)
        assert await meta.read(uploads.find_upload, "up") is not None
        assert await meta.read(objects.find_object, bucket.bucket_id, b"k") == former

    driver(story)


def test_an_ended_upload_takes_no_more(driver: Driver) -> None:
    """After completion or abortion, parts and completions are Missing their upload, and abort says False."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        for end in ("complete", "abort"):
            await meta.write(uploads.add_upload, an_upload(bucket))
            await meta.write(parts.put_part, "up", a_part(1), None)
            whole = an_object(content=Content("parts", "up"))
            if end == "complete":
                await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0)], None, 0)
                await meta.write(objects.remove_object, bucket.bucket_id, b"k", None, 0)
            else:
                assert await meta.write(uploads.abort_upload, "up", 0)
            with pytest.raises(errors.Missing):
                await meta.write(parts.put_part, "up", a_part(2), b"late")
            with pytest.raises(errors.Missing):
                await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0)], None, 0)
            assert not await meta.write(uploads.abort_upload, "up", 0)
            await take_apart(meta)
            await meta.write(released.drop_released_inline, 1 << 60, 9)
            assert await meta.read(count, "parts") == await meta.read(count, "inline_bytes") == 0

    driver(story)


@pytest.mark.parametrize("end", ["abort", "replace", "remove"])
def test_parts_are_released_whole_with_their_grace(driver: Driver, end: str) -> None:
    """Blobs and inline bytes of parts outlive abort, replacement and removal by the grace period."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        await meta.write(uploads.add_upload, an_upload(bucket))
        await meta.write(parts.put_part, "up", a_part(1), None)
        tail = await meta.write(parts.put_part, "up", a_part(2), b"tail")
        whole = an_object(content=Content("parts", "up"))
        if end == "abort":
            await meta.write(uploads.abort_upload, "up", 100)
        else:
            await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0), (2, "p2", 10)], None, 50)
            assert await blobs_released(meta) == []
        if end == "replace":
            await meta.write(objects.put_object, bucket.bucket_id, an_object(), None, None, 100)
        elif end == "remove":
            await meta.write(objects.remove_object, bucket.bucket_id, b"k", None, 100)
        await take_apart(meta, 100)
        assert (await meta.read(count, "parts"), await blobs_released(meta)) == (2, [])
        await take_apart(meta, 101)
        assert await meta.read(count, "parts") == await meta.read(count, "released_uploads") == 0
        assert await meta.read(released.take_released, 101, 9) == ["b1"]
        assert tail.content_id is not None
        assert await meta.write(released.drop_released_inline, 100, 9) == 0
        assert await meta.read(objects.read_inline, tail.content_id) == b"tail"
        assert await meta.write(released.drop_released_inline, 101, 9) == 1
        assert await meta.read(count, "inline_bytes") == await meta.read(count, "released_inline") == 0

    driver(story)


@pytest.mark.parametrize("number", [1, 2, 4, 5])
def test_parts_are_taken_apart_in_pages(driver: Driver, number: int) -> None:
    """At most so many at once; at every moment each blob is named, and there is no part without an end."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        await meta.write(uploads.add_upload, an_upload(bucket))
        names = {f"b{n}" for n in range(1, number + 1)}
        for n in range(1, number + 1):
            await meta.write(parts.put_part, "up", a_part(n), None)
        await meta.write(uploads.abort_upload, "up", 100)
        for done in range(0, number + 1, 2):
            assert await meta.read(count, "parts") == number - done
            assert len(await blobs_released(meta)) == done
            assert await meta.read(released.referenced, names) == names
            assert await meta.read(stored.stray_uploads, "", 9) == []
            assert await meta.write(released.take_apart, 101, 2)
        assert not await meta.write(released.take_apart, 101, 2)
        assert set(await blobs_released(meta)) == names
        assert await meta.read(count, "parts") == await meta.read(count, "released_uploads") == 0

    driver(story)


def test_what_an_upload_became_is_never_taken_apart(driver: Driver) -> None:
    """Were an upload or an object released by mistake, its parts stay, and the mistake can be undone."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        await meta.write(uploads.add_upload, an_upload(bucket))
        await meta.write(parts.put_part, "up", a_part(1), None)
        for _ in range(2):
            await meta.write(released.release_parts, "up", 10)
            assert not await meta.write(released.take_apart, 11, 2)
            assert await meta.read(stored.released_in_use) == ["up"]
            assert await meta.read(stored.owners_of, "up") == [("photos", b"k")]
            await meta.write(stored.keep_released)
            assert await meta.read(stored.released_in_use) == []
            if await meta.read(uploads.find_upload, "up"):
                whole = an_object(content=Content("parts", "up"))
                await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0)], None, 50)
        assert await meta.read(count, "parts") == 1

    driver(story)


def test_a_reader_still_finds_the_parts_of_what_was_replaced(driver: Driver) -> None:
    """Whoever has looked up an object and comes for its parts a moment later finds them through the grace."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        await meta.write(uploads.add_upload, an_upload(bucket))
        await meta.write(parts.put_part, "up", a_part(1), None)
        whole = an_object(content=Content("parts", "up"))
        await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0)], None, 50)
        await meta.write(objects.put_object, bucket.bucket_id, an_object(), None, None, 100)
        assert [part.part_number for part in await meta.read(parts.find_parts, "up", 0, 10, 9)] == [1]

    driver(story)


def test_a_blob_that_something_points_at_is_never_taken(driver: Driver) -> None:
    """A released blob that a record points at again is kept, until that record lets go too."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        shared = Content("blob", "b1")
        for key in (b"a", b"b"):
            await meta.write(objects.put_object, bucket_id, an_object(key, shared), None, None, 0)
        await meta.write(objects.remove_object, bucket_id, b"a", None, 10)
        assert await blobs_released(meta) == []
        await meta.write(objects.remove_object, bucket_id, b"b", None, 20)
        assert await meta.read(released.take_released, 11, 9) == []
        assert await meta.read(released.take_released, 21, 9) == ["b1"]

    driver(story)


def test_a_blob_that_a_part_points_at_is_never_taken(driver: Driver) -> None:
    """A released blob that a part points at again is kept, until that part lets go too."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        blob = an_object(content=Content("blob", "b1"))
        await meta.write(objects.put_object, bucket.bucket_id, blob, None, None, 0)
        await meta.write(uploads.add_upload, an_upload(bucket))
        await meta.write(parts.put_part, "up", a_part(1), None)
        await meta.write(objects.remove_object, bucket.bucket_id, b"k", None, 10)
        assert await blobs_released(meta) == []
        await meta.write(uploads.abort_upload, "up", 20)
        assert await blobs_released(meta) == []
        await take_apart(meta)
        assert await blobs_released(meta) == ["b1"]

    driver(story)


def test_an_inline_id_is_never_used_again(driver: Driver) -> None:
    """A reader that holds the id of bytes that are gone can't be handed another object's bytes."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        gone = await meta.write(objects.put_object, bucket_id, an_object(), b"mine", None, 0)
        await meta.write(objects.remove_object, bucket_id, b"k", None, 0)
        other = await meta.write(objects.put_object, bucket_id, an_object(), b"yours", None, 0)
        assert gone.content.id is not None and gone.content.id != other.content.id
        with pytest.raises(errors.Missing):
            await meta.read(objects.read_inline, gone.content.id)

    driver(story)


# The seam itself


def test_a_flow_that_raises_is_undone_and_harms_nobody(driver: Driver) -> None:
    """Among writers at once, the one that raises loses its writes and the others keep theirs."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id

        def spoiled(number: int) -> Transaction[None]:
            yield from objects.put_object(bucket_id, an_object(b"%d" % number), b"x", None, 0)
            if number % 3 == 0:
                raise LookupError(number)

        answers = await asyncio.gather(
            *[meta.write(spoiled, number) for number in range(60)], return_exceptions=True
        )
        assert [n for n, answer in enumerate(answers) if isinstance(answer, LookupError)] == list(
            range(0, 60, 3)
        )
        assert await meta.read(count, "objects") == await meta.read(count, "inline_bytes") == 40

    driver(story)


def test_a_read_sees_one_moment(driver: Driver) -> None:
    """All statements of a read see the same snapshot, although writers commit in between."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        stop = asyncio.Event()

        async def keep_writing() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                await meta.write(objects.put_object, bucket_id, an_object(b"%d" % number), None, None, 0)

        def look_twice() -> Transaction[bool]:
            first = yield from count("objects")
            for _ in range(2_000):
                yield Statement("SELECT 1")
            return first == (yield from count("objects"))

        writing = asyncio.create_task(keep_writing())
        seen = []
        for _ in range(30):
            await asyncio.sleep(0.002)
            seen.append(await meta.read(look_twice))
        stop.set()
        await writing
        assert seen == [True] * 30

    driver(story)


def test_a_write_is_read_at_once(driver: Driver) -> None:
    """What a write returned for is seen by the very next read."""

    async def story(meta: Meta) -> None:
        bucket_id = (await a_bucket(meta)).bucket_id
        for number in range(100):
            record = an_object(etag=str(number))
            await meta.write(objects.put_object, bucket_id, record, None, None, 0)
            assert await meta.read(objects.find_object, bucket_id, b"k") == record

    driver(story)


def test_the_version_moves_with_settings_only(driver: Driver) -> None:
    """Every change of users, keys, buckets and settings moves the version; objects and no-ops do not."""

    async def story(meta: Meta) -> None:
        async def moves(flow: Callable[..., Transaction[object]], *args: object) -> bool:
            before = meta.version()
            assert meta.version() == before
            await meta.write(flow, *args)
            return meta.version() != before

        assert await moves(users.add_user, ANN)
        assert await moves(users.add_key, KEY)
        assert await moves(users.set_key_active, "AK", False)
        assert await moves(users.set_user_active, "u1", False)
        assert await moves(users.remove_key, "AK")
        assert not await moves(users.remove_key, "AK")
        assert await moves(buckets.add_bucket, "photos", "u1", 3, "", {})
        bucket = await meta.read(buckets.find_bucket, "photos")
        assert bucket is not None
        assert await moves(buckets.put_setting, bucket.bucket_id, "acl", "{}")
        assert await moves(buckets.change_setting, bucket.bucket_id, "acl", lambda _: "[]")
        assert not await moves(objects.put_object, bucket.bucket_id, an_object(), b"abc", None, 0)
        assert not await moves(objects.remove_object, bucket.bucket_id, b"k", None, 0)
        assert await moves(partial(buckets.remove_bucket, with_uploads=False), bucket.bucket_id, 0)
        assert await moves(users.remove_user, "u1")

    driver(story)


def a_result(size_bytes: int, used_at_ms: int, blob_id: str | None = None) -> results.ResultRecord:
    return results.ResultRecord("image/png", size_bytes, blob_id, None if blob_id else b"x", used_at_ms)


def test_the_bytes_of_all_results_are_counted(driver: Driver) -> None:
    """The count is the rows' sum after every way in which a result comes, is replaced and goes."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        await meta.write(objects.put_object, bucket.bucket_id, an_object(), None, None, 0)
        now, gone = (results.ResultSource(bucket.bucket_id, b"k", etag, 7) for etag in ("e1", "e0"))

        async def require(size_bytes: int) -> None:
            assert await meta.read(results.results_bytes) == size_bytes
            assert await meta.read(sum_of, "results") == size_bytes

        await require(0)
        for number in range(4):
            await meta.write(results.store_result, f"r{number}", now, a_result(10, number))
        await require(40)
        await meta.write(results.store_result, "r0", now, a_result(25, 9, "blob"))
        await require(55)
        await meta.write(results.drop_result, "r0", 10)
        await meta.write(results.drop_result, "none", 10)
        await require(30)
        await meta.write(results.store_result, "old", gone, a_result(1000, 11))
        await meta.write(results.drop_stale_results, 12, 9)
        await require(30)
        with pytest.raises(errors.Conflict):
            await meta.write(stored_then_refused, now)
        await require(30)

    driver(story)


def test_results_make_room_oldest_first(driver: Driver) -> None:
    """So many go as it takes until the others fit, those first that were used longest ago, some at a time."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        source = results.ResultSource(bucket.bucket_id, b"k", "e1", 7)
        for number in range(6):
            await meta.write(results.store_result, f"r{number}", source, a_result(10, 100 - number))
        assert await meta.write(results.drop_results_over, 45, 200, 9)
        assert [await meta.read(results.find_result, f"r{n}") is None for n in range(6)] == 4 * [
            False
        ] + 2 * [True]
        assert not await meta.write(results.drop_results_over, 5, 200, 3)
        assert await meta.write(results.drop_results_over, 5, 200, 3)
        assert await meta.read(results.results_bytes) == 0
        assert await meta.write(results.drop_results_over, 0, 200, 3)

    driver(story)


def sum_of(table: str) -> Transaction[int]:
    rows = yield Statement(f"SELECT COALESCE(SUM(size_bytes), 0) FROM {table}")
    return int(rows[0][0])


def stored_then_refused(source: results.ResultSource) -> Transaction[None]:
    yield from results.store_result("refused", source, a_result(70, 1))
    raise errors.Conflict("refused")


def test_what_a_bucket_holds_is_counted(driver: Driver) -> None:
    """The count is the rows' own after every way in which objects come, are replaced, go, or are refused."""

    async def story(meta: Meta) -> None:
        bucket, other = await a_bucket(meta), await a_bucket(meta, "other")
        number = bucket.bucket_id

        async def put(key: bytes, size_bytes: int, condition: Condition | None = None) -> None:
            record = replace(an_object(key), size_bytes=size_bytes)
            await meta.write(objects.put_object, number, record, None, condition, 0)

        async def require(objects_held: int, size_bytes: int) -> None:
            assert await meta.read(buckets.bucket_usage, number) == (objects_held, size_bytes)
            assert await meta.read(buckets.bucket_usage, other.bucket_id) == (0, 0)

        await require(0, 0)
        for key in (b"a", b"b", b"c"):
            await put(key, 10)
        await put(b"a", 25)
        await put(b"b", 10)
        await require(3, 45)
        with pytest.raises(errors.Unmet):
            await put(b"c", 99, Condition(if_none_match="*"))
        await meta.write(uploads.add_upload, an_upload(bucket, key=b"d"))
        await meta.write(parts.put_part, "up", a_part(1, 30), None)
        await require(3, 45)
        whole = replace(an_object(b"d", Content("parts", "up")), size_bytes=30)
        await meta.write(uploads.complete_upload, "up", whole, [(1, "p1", 0)], None, 0)
        await meta.write(objects.remove_object, number, b"a", None, 0)
        await meta.write(objects.remove_object, number, b"none", None, 0)
        await require(3, 50)
        await meta.write(objects.remove_objects, number, [b"b", b"c", b"d", b"none"], 0)
        await require(0, 0)
        await meta.write(buckets.remove_bucket, number, 0, with_uploads=True)
        assert await meta.read(count, "bucket_usage") == 1


def test_a_clock_that_is_set_back_makes_no_object_older(driver: Driver) -> None:
    """What comes later under a key is never dated before what it replaces; another key is dated as it is."""

    async def story(meta: Meta) -> None:
        bucket = await a_bucket(meta)
        for at_ms in (5000, 2000, 7000):
            for key in (b"k", str(at_ms).encode()):
                record = replace(an_object(key), modified_at_ms=at_ms)
                await meta.write(objects.put_object, bucket.bucket_id, record, b"x", None, at_ms)
            found = await meta.read(objects.find_object, bucket.bucket_id, b"k")
            assert found is not None and found.modified_at_ms == max(5000, at_ms)
        other = await meta.read(objects.find_object, bucket.bucket_id, b"2000")
        assert other is not None and other.modified_at_ms == 2000

    driver(story)
