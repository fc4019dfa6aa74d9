"""Brings what decoders give (grey, CMYK, 16 bits, floats, wide colours) to what all steps work on.

That is red, green and blue of 8 bits, and opacity where there is some. Their codes are those of sRGB, or of
the profile that stays with the picture. What a file's codes mean, its profile says, else its code points
(ITU-T H.273), else they are sRGB.
"""

from collections.abc import Mapping
from contextlib import suppress

import pyvips

from meiku.media.code_points import CodePoints
from meiku.media.facts import Image
from meiku.media.light import Primaries, is_beyond_srgb, to_srgb

SRGB_BANDS = 3
_PROFILE = "icc-profile-data"
# Where a profile says of which colours it speaks (ICC.1, 7.2), and how many bands those have.
_SPACE = slice(16, 20)
_SIGNATURE = slice(36, 40)
_RGB = b"RGB "
_SPACES: Mapping[bytes, int] = {b"GRAY": 1, _RGB: SRGB_BANDS, b"CMYK": 4}
# What numbers that are no codes may reach to. Programs write grey as shares of white, or as codes.
_RANGES = (1, 255, 65_535, 2**32 - 1)
_CODES = ("uchar", "ushort")


def in_srgb(image: Image, points: CodePoints | None, *, keeps_profile: bool) -> Image:
    """Bring an image to three or four bands of 8 bits; in sRGB itself where the profile shall not stay."""
    if image.get_typeof(_PROFILE):
        image = _by_profile(image, keeps_profile)
    elif points is not None:
        image = _by_code_points(image, points)
    image = _in_codes(image)
    return _by_profile(image, keeps_profile) if image.get_typeof(_PROFILE) else image


def _by_profile(image: Image, keeps_profile: bool) -> Image:
    """Follow a profile to sRGB, or leave it as it is where it goes with what the steps work on."""
    profile = bytes(image.get(_PROFILE))
    space = profile[_SPACE]
    if not _is_whole(profile) or (space != _RGB and _bands(image) != _SPACES.get(space)):
        return _without_profile(image)
    if space == _RGB and (keeps_profile or _bands(image) != SRGB_BANDS):
        return _without_profile(image) if image.interpretation == "cmyk" else image
    with suppress(pyvips.Error):  # a damaged profile is no damaged picture
        image = image.icc_transform("srgb", embedded=True)
    return _without_profile(image)


def _is_whole(profile: bytes) -> bool:
    """Tell whether a profile is as long as it says, and is one: otherwise PNG's writer refuses it."""
    return profile[_SIGNATURE] == b"acsp" and int.from_bytes(profile[:4], "big") <= len(profile)


def _bands(image: Image) -> int:
    """Count the bands but for opacity."""
    return int(image.bands) - bool(image.hasalpha())


def _without_profile(image: Image) -> Image:
    image = image.copy()
    image.remove(_PROFILE)
    return image


def _by_code_points(image: Image, points: CodePoints) -> Image:
    """Bring light that no picture has to sRGB; P3 has a profile, which can stay."""
    if points.primaries == Primaries.P3 and not is_beyond_srgb(points.transfer, Primaries.UNKNOWN):
        profiled = image.copy()
        profiled.set_type(pyvips.GValue.blob_type, _PROFILE, bytes(pyvips.Image.profile_load("p3")))
        return profiled
    if _bands(image) != SRGB_BANDS or not is_beyond_srgb(points.transfer, points.primaries):
        return image
    deep = (image * 257).cast("ushort") if image.format == "uchar" else image
    colours = to_srgb(deep.extract_band(0, n=SRGB_BANDS), points.transfer, points.primaries).cast("uchar")
    if not image.hasalpha():
        return colours
    return colours.bandjoin((deep.extract_band(SRGB_BANDS) / 257).rint().cast("uchar"))


def _in_codes(image: Image) -> Image:
    if image.interpretation == "srgb" and image.format == "uchar" and image.bands in (3, 4):
        return image
    if image.format not in _CODES and image.interpretation == "b-w":
        image = _ranged(image)
    image = image.colourspace("srgb").cast("uchar")
    return image if image.bands <= SRGB_BANDS + 1 else image.extract_band(0, n=SRGB_BANDS + 1)


def _ranged(grey: Image) -> Image:
    """Bring grey numbers to codes; a picture says by its brightest what they are shares of."""
    grey = grey.copy_memory()  # it is read twice
    brightest = grey.max()
    top = next((each for each in _RANGES if brightest <= each), brightest)
    return (grey * (255 / top)).rint().cast("uchar").copy(interpretation="b-w")
