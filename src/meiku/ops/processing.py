"""Pictures and frames by URL: GetObject's answer as a recipe makes it. Who may read the object may have this.

Reads objects for the workshop and describes what it made; how pictures are made is not known here.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from meiku import errors, model
from meiku.access.caller import ANONYMOUS
from meiku.client import client_of
from meiku.media import QUERY_NAMES, Dialect, Recipe, RecipeRefused, canonical, expand, read_recipe
from meiku.media.made import ENGINE_VERSION, Made
from meiku.media.workshop import Customer
from meiku.meta.records import ObjectRecord
from meiku.operation import Answer, Function, operation
from meiku.ops import content
from meiku.ops.call import Call
from meiku.ops.conditions import check_read
from meiku.ops.descriptions import quoted, unpack
from meiku.ops.elsewhere import turned_within
from meiku.ops.found import Found
from meiku.ops.results import Result, result_of
from meiku.ops.styles import refuse_free_recipe, styles_of
from meiku.ops.versions import check_version

# As many as an MD5 has: clients take an ETag for one.
_ETAG_DIGITS = 32


@dataclass(frozen=True, slots=True)
class RecipeObjects:
    """A recipe, and its objects as they were found: a call's source, and others of its bucket that it names.

    `identity` names what the recipe makes of just these versions of them.
    """

    call: Call
    recipe: Recipe
    found: Mapping[str | None, Found]
    identity: str

    async def open(self, key: str | None) -> tuple[int, int]:
        """Open an object as a file, and tell its size; None is the source. Only what the recipe names."""
        if key not in self.found:
            raise RecipeRefused("watermark", "image", "the recipe does not name this object.")
        record = self.found[key].record
        _check_size(self.call, record)
        return await content.open_file(self.call, record, self.found[key].inline), record.size_bytes

    @property
    def size_bytes(self) -> int:
        """Tell how large the source is."""
        return self.found[None].record.size_bytes

    async def read_range(self, start_byte: int, stop_byte: int) -> bytes:
        """Give a range of the source."""
        record = self.found[None].record
        body = await content.read(self.call, record, start_byte, stop_byte, self.found[None].inline)
        return body if isinstance(body, bytes) else await _joined(body)

    def described(self) -> ObjectRecord:
        """Describe the result as if it were an object: the source's record, with a tag of its own."""
        return replace(self.found[None].record, etag=self.identity[:_ETAG_DIGITS])

    async def made(self) -> Result:
        """Give what the recipe makes of them: kept from before, or made now."""
        record = self.found[None].record
        return await result_of(self.call, self.identity, record, self._make)

    async def _make(self) -> Made:
        customer = Customer(client_of((self.call.client,)), self.call.bucket_name)
        return await self.call.workshop.make(self.recipe, self, customer)


async def objects_of(call: Call, recipe: Recipe) -> RecipeObjects:
    """Find all objects of a recipe, for a caller who may read them."""
    found: dict[str | None, Found] = {None: call.found}
    for key in recipe.named_objects():
        found[key] = await _named(call, key.encode())
    return RecipeObjects(call, recipe, found, _identity(call, recipe, found))


def _identity(call: Call, recipe: Recipe, found: Mapping[str | None, Found]) -> str:
    """Name a result by what it is made from, every version of it, and how."""
    versions = [
        (call.bucket.bucket_id, key, each.record.etag, each.record.modified_at_ms)
        for key, each in sorted(found.items(), key=lambda item: item[0] or "")
    ]
    made_from = repr(
        (ENGINE_VERSION, call.key, versions, canonical(recipe), call.settings.media_keeps_places)
    )
    return hashlib.sha256(made_from.encode()).hexdigest()


async def _named(call: Call, key: bytes) -> Found:
    """Find an object that the recipe names; a recipe that anybody may have added reaches what is public."""
    if call.caller.lends_address_alone:
        call = replace(call, caller=ANONYMOUS)
    try:
        return (await turned_within(call, call.bucket, key, "s3:GetObject")).found
    except errors.NoSuchKey:
        raise RecipeRefused("watermark", "image", "there is no object of this name in the bucket.") from None


def _check_size(call: Call, record: ObjectRecord) -> None:
    """Refuse an object that is too large to be a picture."""
    limit_bytes = call.settings.media_source_limit_bytes
    if record.size_bytes > limit_bytes:
        raise RecipeRefused(
            "", "", f"The image is too large: {record.size_bytes:,} bytes; it may have {limit_bytes:,}."
        )


async def _joined(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def _offer(name: str, dialect: Dialect) -> Function:
    """Offer one query name's operation; they differ in nothing but their dialect."""

    @operation(name, action="s3:GetObject", reads_bytes=True)
    async def process_object(
        call: Call,
        process: str | None,
        version_id: str | None,
        if_match: str | None,
        if_none_match: str | None,
        if_modified_since: int | None,
        if_unmodified_since: int | None,
    ) -> Answer:
        """Answer with what the recipe makes of the object."""
        check_version(version_id)
        recipe = recipe_of(call, process or "", dialect)
        if recipe.save_as is not None:
            raise RecipeRefused("saveas", "", "a GET changes nothing: POST the recipe to keep its result.")
        objects = await objects_of(call, recipe)
        shown = objects.described()
        answer = _validators(shown)
        check_read(shown, if_match, if_none_match, if_modified_since, if_unmodified_since, answer)
        return {**answer, **shown_result(await objects.made())}

    return process_object


def recipe_of(call: Call, text: str, dialect: Dialect) -> Recipe:
    """Read a recipe about an object of the call's bucket; a style keeps its own dialect, whoever names it."""
    recipe = read_recipe(text, dialect)
    refuse_free_recipe(call, recipe)
    return expand(recipe, styles_of(call.bucket).styles)


def shown_result(result: Result) -> Answer:
    """Answer with a result itself."""
    return {
        "ContentType": result.content_type,
        "ContentLength": result.size_bytes,
        "Body": result.body,
    }


def _validators(record: ObjectRecord) -> Answer:
    kept = unpack(record.headers)
    answer: Answer = {"LastModified": record.modified_at_ms, "ETag": quoted(record.etag)}
    return {**answer, "CacheControl": kept["CacheControl"]} if "CacheControl" in kept else answer


for _name, _query_name in model.operations()["ProcessObject"].siblings.items():
    _offer(_name, QUERY_NAMES[_query_name])
