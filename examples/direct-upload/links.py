"""Links to look at what is stored, as it is or as a recipe makes it: for whom it may be, and nothing else.

A link is signed with a key that may read the whole bucket, and a recipe can name other objects of it, as
watermarks. So whoever signs a recipe asks what it names; what nobody may look at is not signed either way.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import RedirectResponse

from meiku.media import RecipeRefused, read_recipe
from samples import CONTENT_TYPES, Samples
from storage import Storage, StorageRefused

RECIPE_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Links:
    """Signs links to samples and to uploads of these pages; your own server would ask whose upload it is."""

    storage: Storage
    samples: Samples
    uploads: str

    def to(self, key: str, recipe: str = "") -> str:
        """Sign a link that shows an object; HTTPException where that is not for everybody."""
        if len(recipe) > RECIPE_LIMIT:
            raise HTTPException(414, f"these pages sign recipes of at most {RECIPE_LIMIT:,} characters")
        for each in {key, *_named_in(recipe)}:
            self._check(each)
        return self.storage.view_url(key, recipe)

    def _check(self, key: str) -> None:
        """Refuse what is neither an upload nor a sample; a sample that is not there yet is drawn."""
        if key in CONTENT_TYPES:
            try:
                self.samples.put_missing(key)
            except StorageRefused as refused:
                raise HTTPException(502, f"the sample cannot be stored: {refused}") from None
        elif not key.startswith(self.uploads):
            raise HTTPException(404, "neither an upload nor a sample of these pages")


def _named_in(recipe: str) -> frozenset[str]:
    """Name the objects that a recipe reads beside its source.

    One that cannot be read names none and may be signed: the storage reads it in the same way, makes nothing
    of it, and says what is wrong better than we could.
    """
    try:
        return read_recipe(recipe).named_objects() if recipe else frozenset()
    except RecipeRefused:
        return frozenset()


def links_router(links: Links) -> APIRouter:
    """Offer the links as addresses of our own, which do not expire: each leads to a fresh signed one."""
    router = APIRouter()

    @router.get("/view/{key:path}")
    def view(key: str, recipe: Annotated[str, Query(alias="x-amz-process")] = "") -> RedirectResponse:
        return RedirectResponse(links.to(key, recipe), headers={"Cache-Control": "no-store"})

    return router
