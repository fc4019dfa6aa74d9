"""Results kept as objects: a POST has a recipe followed and stores what comes of it, as a PUT would store it.

OSS's form is addressed to the source, and its recipe says where the result goes (`sys/saveas`); ZOS's form is
addressed to that place, and a header names the source. How results are made is `processing`'s affair.
Source: OSS, "sys/saveas" and its SDKs' ProcessObject; ZOS as in media-processing.md of the reference.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from meiku import errors, model
from meiku.media import QUERY_NAMES, ZOS, Recipe, RecipeRefused
from meiku.media.posted import posted_field, posted_text
from meiku.media.recipe import checked
from meiku.media.steps import SaveAs
from meiku.meta.records import ObjectRecord
from meiku.operation import Answer, operation
from meiku.ops.call import Call
from meiku.ops.conditions import write_condition
from meiku.ops.content import Copied
from meiku.ops.copy_source import read_source_name
from meiku.ops.descriptions import describe, quoted
from meiku.ops.elsewhere import turned_to
from meiku.ops.grants import asked_acl
from meiku.ops.objects import keep
from meiku.ops.processing import objects_of, recipe_of, shown_result
from meiku.ops.results import Result
from meiku.ops.versions import check_version

# How much of a POST is read before it is known to be no recipe; what is less is refused in a recipe's words.
RECIPE_LIMIT_BYTES = 128 * 1024
_SOURCE_HEADER = "x-zos-process-source"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request says of the object that it wants kept."""

    acl: str | None
    grants: dict[str, str]
    metadata: dict[str, str]
    storage_class: str | None
    if_match: str | None
    if_none_match: str | None

    @property
    def is_empty(self) -> bool:
        """Tell whether it says nothing."""
        return not any(getattr(self, name) for name in self.__slots__)


def _offer_from_source(name: str, query_name: str) -> None:
    """Offer OSS's form under one query name."""

    @operation(name, action="s3:GetObject", reads_bytes=True, document_limit_bytes=RECIPE_LIMIT_BYTES)
    async def post_process_object(
        call: Call,
        body: str,
        process: str | None,
        version_id: str | None,
        acl: str | None,
        grants: dict[str, str],
        metadata: dict[str, str],
        storage_class: str | None,
        if_match: str | None,
        if_none_match: str | None,
    ) -> Answer:
        """Keep what the recipe makes where `sys/saveas` says, for who may put there; without it, answer."""
        check_version(version_id)
        _refuse_in_query(process)
        recipe = recipe_of(call, posted_field(body, query_name), QUERY_NAMES[query_name])
        wishes = Wishes(acl, grants, metadata, storage_class, if_match, if_none_match)
        target = recipe.save_as
        if target is None:
            return await _answered(call, recipe, wishes)
        bucket_name = target.bucket or call.bucket_name
        place = await turned_to(call, bucket_name, target.key.encode(), "s3:PutObject")
        return _told(target.bucket or "", await _kept(call, recipe, place, wishes))


def _offer_to_target(name: str, query_name: str) -> None:
    """Offer ZOS's form under one query name."""

    @operation(name, action="s3:PutObject", document_limit_bytes=RECIPE_LIMIT_BYTES)
    async def post_process_object(
        call: Call,
        body: str,
        process: str | None,
        process_source: str | None,
        acl: str | None,
        grants: dict[str, str],
        metadata: dict[str, str],
        storage_class: str | None,
        if_match: str | None,
        if_none_match: str | None,
    ) -> Answer:
        """Keep what the recipe makes of the object that `x-zos-process-source` names, for its readers."""
        _refuse_in_query(process)
        if process_source is None:
            raise errors.MissingSecurityHeader(
                f"The header {_SOURCE_HEADER} is missing: it names what is processed, as /bucket/key.",
                MissingHeaderName=_SOURCE_HEADER,
            )
        source = await turned_to(call, *read_source_name(process_source, _SOURCE_HEADER), "s3:GetObject")
        recipe = _to_be_kept(recipe_of(source, posted_text(body), QUERY_NAMES[query_name]), call)
        wishes = Wishes(acl, grants, metadata, storage_class, if_match, if_none_match)
        return _told(call.bucket_name, await _kept(source, recipe, call, wishes))


def _refuse_in_query(process: str | None) -> None:
    if process:
        raise RecipeRefused("", "", "A POST's recipe stands in its body; give the query's name no value.")


def _to_be_kept(recipe: Recipe, place: Call) -> Recipe:
    """Say in the recipe what the address says, so that what cannot be kept is refused as ever."""
    if recipe.save_as is not None:
        raise RecipeRefused("saveas", "", "the address of this request says where the result is kept.")
    return checked(replace(recipe, save_as=SaveAs(place.key.decode(), place.bucket_name)))


async def _answered(call: Call, recipe: Recipe, wishes: Wishes) -> Answer:
    """Answer with the result, as OSS does when nothing says that it be kept."""
    if not wishes.is_empty:
        raise errors.InvalidRequest(
            "Headers of this request describe an object, but its recipe keeps none: end it with |sys/saveas."
        )
    return shown_result(await (await objects_of(call, recipe)).made())


async def _kept(call: Call, recipe: Recipe, place: Call, wishes: Wishes) -> ObjectRecord:
    """Follow a recipe about the call's object, and store the result at the other call's place."""
    condition = write_condition(wishes.if_match, wishes.if_none_match)
    asked = await asked_acl(place, owner_id=place.owner_id, canned=wishes.acl, grants=wishes.grants)
    unsaved = recipe.unsaved()
    result = await (await objects_of(call, unsaved)).made()
    _check_size(place, result)
    headers = {"ContentType": result.content_type}
    description = describe(headers, wishes.metadata, wishes.storage_class, asked)
    return await keep(place, Copied(result.pieces(), result.size_bytes), description, condition)


def _check_size(place: Call, result: Result) -> None:
    """Refuse what could not be put, or what there is no room for."""
    limit_bytes = place.settings.max_object_put_bytes
    if result.size_bytes > limit_bytes:
        raise errors.EntityTooLarge(
            f"The result has {result.size_bytes:,} bytes; an object that is put may have {limit_bytes:,}.",
            ProposedSize=str(result.size_bytes),
            MaxSizeAllowed=str(limit_bytes),
        )
    place.require_room(result.size_bytes)


def _told(bucket_name: str, record: ObjectRecord) -> Answer:
    """Say what was kept, as OSS does; the bucket is told as it was asked for, '' where it was not."""
    told: Mapping[str, str | int] = {
        "bucket": bucket_name,
        "fileSize": record.size_bytes,
        "object": record.key.decode(),
        "status": "OK",
    }
    body = json.dumps(told).encode()
    return {
        "ContentType": "application/json",
        "ContentLength": len(body),
        "ETag": quoted(record.etag),
        "Body": body,
    }


for _name, _query_name in model.operations()["PostProcessObject"].siblings.items():
    _offer = _offer_to_target if QUERY_NAMES[_query_name] is ZOS else _offer_from_source
    _offer(_name, _query_name)
