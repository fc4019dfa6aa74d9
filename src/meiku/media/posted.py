"""A recipe's text as the body of a POST carries it; what the recipe says is not read here.

OSS's body is a form of one field, `x-oss-process=image/resize,w_100|sys/saveas,o_...`: its own SDKs send it
as it is, others percent-encoded. ZOS's body is the recipe alone. No recipe holds a '%' or an '&', so both
spellings of either are told apart without a header that says which it is.
"""

from urllib.parse import unquote, unquote_plus

from meiku.media.dialects import asked_in
from meiku.media.recipe import TEXT_LIMIT
from meiku.media.refusal import RecipeRefused, shown

# Every character percent-encoded, and the field's name.
_BODY_LIMIT = 3 * TEXT_LIMIT + 100


def posted_field(body: str, query_name: str) -> str:
    """Read the recipe's text from a form whose one field has the name that the address asks under."""
    _check_length(body)
    pairs = [part.partition("=") for part in body.split("&")]
    fields = [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]
    asked = asked_in(fields)
    unknown = next((name for name, _ in fields if asked is None or name != asked.query_name), None)
    if asked is None or unknown is not None:
        raise RecipeRefused("", "", _unknown_field(unknown or "", query_name))
    if asked.query_name != query_name:
        said = f"The address asks under {query_name}, the body under {asked.query_name}; use one name."
        raise RecipeRefused("", "", said)
    return asked.text


def posted_text(body: str) -> str:
    """Read the recipe's text from a body that is nothing else."""
    _check_length(body)
    return unquote(body)


def _check_length(body: str) -> None:
    """Refuse what would be refused later, before it is decoded."""
    if len(body) > _BODY_LIMIT:
        raise RecipeRefused("", "", f"The body is longer than a recipe of {TEXT_LIMIT:,} characters can be.")


def _unknown_field(name: str, query_name: str) -> str:
    found = f"The body holds {shown(name)!r}" if name else "The body is empty, or a field of it has no name"
    return (
        f"{found}; it is {query_name}= and the recipe, as in {query_name}=image/resize,w_200|sys/saveas,o_..."
    )
