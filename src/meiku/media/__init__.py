"""Pictures by URL: the language that says what shall be made of an object. Knows no HTTP and no storage."""

from meiku.media.bucket_styles import NO_STYLES, BucketStyles, styles_from_json
from meiku.media.dialects import DIALECTS, OSS, PRIMARY_NAME, QUERY_NAMES, ZOS, Asked, Dialect, asked_in
from meiku.media.recipe import Recipe, RecipeKind, canonical, read_recipe
from meiku.media.refusal import RecipeRefused
from meiku.media.styles import Style, StyledKey, check_style_name, expand, read_style, styled_key

__all__ = [
    "DIALECTS",
    "NO_STYLES",
    "OSS",
    "PRIMARY_NAME",
    "QUERY_NAMES",
    "ZOS",
    "Asked",
    "BucketStyles",
    "Dialect",
    "Recipe",
    "RecipeKind",
    "RecipeRefused",
    "Style",
    "StyledKey",
    "asked_in",
    "canonical",
    "check_style_name",
    "expand",
    "read_recipe",
    "read_style",
    "styled_key",
    "styles_from_json",
]
