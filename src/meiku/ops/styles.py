"""A bucket's styles, and the separators that let a key name one.

Requests and documents are OSS's (PutStyle, and the SDKs' `processConfiguration`); `Dialect` is ours. Both are
kept in one setting, because each is checked against the other. What a style makes of an object is
`processing`'s.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from meiku import errors
from meiku.access.caller import Caller
from meiku.media import (
    DIALECTS,
    NO_STYLES,
    OSS,
    BucketStyles,
    RecipeRefused,
    Style,
    StyledKey,
    read_style,
    styled_key,
    styles_from_json,
)
from meiku.media.bucket_styles import read_protected, read_separators, write_separators
from meiku.media.recipe import Recipe, RecipeKind
from meiku.meta import buckets
from meiku.meta.records import BucketRecord
from meiku.operation import Answer, operation
from meiku.ops.call import Call

SETTING = "styles"
# What OSS's document may say beside the separators: only what is so here in any case.
_SETTLED = {"CompliedHost": "Both", "OssDomainSupportAtProcess": "Disabled"}
READS = ("GetObject", "HeadObject")


def styles_of(bucket: BucketRecord) -> BucketStyles:
    """Read the bucket's styles and separators; none where none were set."""
    return _read(bucket.settings.get(SETTING))


def find_styled(bucket: BucketRecord, operation_name: str, key: str) -> StyledKey | None:
    """Take apart the key of a read that names an object and a style; a recipe in the query means the key."""
    if operation_name not in READS:
        return None
    kept = styles_of(bucket)
    return styled_key(key, kept.separators, kept.styles) if kept.separators else None


def refuse_original(bucket: BucketRecord, caller: Caller, key: str) -> None:
    """Refuse an object as it is to a stranger, where the bucket shows it to them in a style only."""
    if caller.anonymous and SETTING in bucket.settings and styles_of(bucket).protects(key):
        raise errors.AccessDenied(Reason="This bucket shows strangers no originals: ask for a style.")


def refuse_free_recipe(call: Call, recipe: Recipe) -> None:
    """Refuse a recipe of a stranger's own, where strangers may name styles only."""
    is_strangers = call.caller.anonymous or call.caller.lends_address_alone
    if not is_strangers or recipe.kind is RecipeKind.STYLE:
        return
    if call.settings.strangers_name_styles_only or styles_of(call.bucket).protects(call.key.decode()):
        raise errors.AccessDenied(Reason="Recipes of one's own are signed for here: ask for a style.")


@operation("PutStyle", action="s3:PutBucketStyle")
async def put_style(
    call: Call, style_name: str | None, category: str | None, style: dict[str, Any]
) -> Answer:
    """Keep a recipe under a name, in place of the one that had it."""
    dialect = DIALECTS[style.get("Dialect", OSS.name)]
    asked = Style(style["Content"].strip(), dialect, call.now_ms, call.now_ms)
    read_style(asked.content, dialect)
    if category not in (None, _category(asked)):
        raise RecipeRefused("style", "category", f"the content is of the category {_category(asked)}.")
    await _change(call, lambda kept: kept.with_style(style_name or "", asked))
    return {}


@operation("GetStyle", action="s3:GetBucketStyle")
async def get_style(call: Call, style_name: str | None) -> Answer:
    """Tell what a style is."""
    name = style_name or ""
    style = styles_of(call.bucket).styles.get(name)
    if style is None:
        raise errors.NoSuchStyle(BucketName=call.bucket_name, StyleName=name[:100])
    return _described(name, style)


@operation("ListStyle", action="s3:GetBucketStyle")
async def list_style(call: Call) -> Answer:
    """List all styles of the bucket, by name."""
    return {"Styles": [_described(*each) for each in sorted(styles_of(call.bucket).styles.items())]}


@operation("DeleteStyle", action="s3:PutBucketStyle")
async def delete_style(call: Call, style_name: str | None) -> Answer:
    """Forget a style; one that is not there is forgotten too."""
    if not style_name:
        raise RecipeRefused("style", "styleName", "say which style is to be deleted.")
    await _change(call, lambda kept: kept.without_style(style_name))
    return {}


@operation("PutBucketProcessConfiguration", action="s3:PutBucketProcessConfiguration")
async def put_bucket_process_configuration(
    call: Call, bucket_process_configuration: dict[str, Any]
) -> Answer:
    """Switch separators between keys and styles on, and all others off; protect originals, or no more."""
    for member, settled in _SETTLED.items():
        asked = bucket_process_configuration.get(member, settled)
        if asked != settled:
            raise errors.NotImplemented(f"{member} is '{settled}' here; '{asked[:40]}' is not offered.")
    separators = read_separators(bucket_process_configuration["StyleDelimiters"])
    protected = read_protected(
        bucket_process_configuration.get("SourceFileProtect", "Disabled"),
        bucket_process_configuration.get("SourceFileProtectSuffix", ""),
    )
    await _change(call, lambda kept: replace(kept.with_separators(separators), protected=protected))
    return {}


@operation("GetBucketProcessConfiguration", action="s3:GetBucketProcessConfiguration")
async def get_bucket_process_configuration(call: Call) -> Answer:
    """Tell which separators stand between a key and a style, and which originals are protected."""
    kept = styles_of(call.bucket)
    return {
        **_SETTLED,
        "SourceFileProtect": "Enabled" if kept.protected else "Disabled",
        "SourceFileProtectSuffix": ",".join(kept.protected),
        "StyleDelimiters": write_separators(kept.separators),
    }


@operation("DeleteBucketProcessConfiguration", action="s3:PutBucketProcessConfiguration")
async def delete_bucket_process_configuration(call: Call) -> Answer:
    """Switch all separators off, and protection; the styles stay."""
    await _change(call, lambda kept: replace(kept, separators="", protected=()))
    return {}


def _read(document: str | None) -> BucketStyles:
    return NO_STYLES if document is None else styles_from_json(document)


async def _change(call: Call, change: Callable[[BucketStyles], BucketStyles]) -> None:
    """Change what is kept, as it is at the moment of writing: two who change at once lose neither's."""

    def rewritten(document: str | None) -> str | None:
        return change(_read(document)).to_json()

    await call.meta.write(buckets.change_setting, call.bucket.bucket_id, SETTING, rewritten)


def _category(style: Style) -> str:
    """Tell OSS's word for what the source must be: what the content begins with."""
    return style.content.partition("/")[0]


def _described(name: str, style: Style) -> Answer:
    return {
        "Name": name,
        "Content": style.content,
        "Category": _category(style),
        "Dialect": style.dialect.name,
        "CreateTime": style.created_at_ms,
        "LastModifyTime": style.modified_at_ms,
    }
