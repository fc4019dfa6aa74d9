"""What a picture carries beside its pixels (EXIF, profile, XMP …), and what of it goes into a result.

A result tells no place, and shows nothing that its steps took away: smaller pictures of the source lie in
EXIF, makers' notes, XMP and IPTC, uncut and unblurred. No pixels change here but to stand upright.
"""

import re
from typing import Any

# libvips has no types; what is known of an image here is that libvips made it.
Image = Any

# Of a result that is not larger than this, facts would be the most.
SMALL_SIDE_PX = 256
# What libvips tells of an image's pixels; all else is what it carries beside them.
_PIXEL_FIELDS = frozenset(
    {"width", "height", "bands", "format", "coding", "interpretation", "xoffset", "yoffset", "xres", "yres"}
    | {"filename", "vips-loader", "bits-per-sample", "palette"}
)
# Smaller pictures of the source, which no step has changed.
_SMALLER_PICTURES = re.compile(r"jpeg-thumbnail-data|exif-ifd1-.*")
# Where a place may stand, or another picture: GPS, XMP, IPTC, what makers and programs put into EXIF unread
# by others, and comments.
_PLACES = re.compile(
    r"exif-ifd3-.*|exif-ifd\d-(MakerNote|XMLPacket|IPTC/NAA|ImageResources|PrintImageMatching|UserComment"
    r"|Padding)|xmp-data|iptc-data|photoshop-data|(png|gif|jpeg)-comment.*"
)
_WHOLE_EXIF = "exif-data"
_EXIF = re.compile(r"exif-.*")


def with_facts_of(image: Image, other: Image) -> Image:
    """Give an image what another carries beside its pixels: EXIF, colour profile, how it moves."""
    told = image.copy(xres=other.xres, yres=other.yres)
    names = set(other.get_fields()) - _PIXEL_FIELDS
    # EXIF as a whole goes first, for libvips takes it apart at once, also into what the other no longer has.
    for name in sorted(names, key=lambda name: name != _WHOLE_EXIF):
        told.set_type(other.get_typeof(name), name, other.get(name))
    for name in set(told.get_fields()) - names - _PIXEL_FIELDS:
        told.remove(name)
    return told


def lies_on_its_side(image: Image) -> bool:
    """Tell whether an image is shown otherwise than it is stored: turned, mirrored or both."""
    return bool(image.get_typeof("orientation")) and 1 < image.get("orientation") <= 8


def upright(image: Image) -> Image:
    """Store an image as it is shown, so that nothing need say so beside it."""
    # To be turned it has to be there whole.
    return image.copy_memory().autorot() if lies_on_its_side(image) else image


def publishable(image: Image, *, keeps_places: bool, is_small: bool) -> Image:
    """Leave out what a result must not carry; a small one keeps its profile and which way is up."""
    told = image.copy()
    for name in image.get_fields():
        left_out = (
            _SMALLER_PICTURES.fullmatch(name)
            or (_PLACES.fullmatch(name) and (is_small or not keeps_places))
            or (_EXIF.fullmatch(name) and is_small)
        )
        if left_out:
            told.remove(name)
    return told
