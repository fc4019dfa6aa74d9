"""Steps that cut a picture to a shape, with smooth edges: circle and rounded corners. They change opacity."""

import pyvips

from meiku.media.facts import Image
from meiku.media.picture import Picture
from meiku.media.picture_steps import Circle, RoundedCorners
from meiku.media.srgb import SRGB_BANDS


def circle(picture: Picture, step: Circle) -> Picture:
    """Keep the circle around the centre; its box becomes the canvas."""
    radius_px = min(step.radius_px, min(picture.width_px, picture.height_px) // 2) or 1
    left, top = picture.width_px // 2 - radius_px, picture.height_px // 2 - radius_px
    side_px = min(2 * radius_px, picture.width_px, picture.height_px)

    def cut(image: Image) -> Image:
        box = image.crop(max(0, left), max(0, top), side_px, side_px)
        return _seen_through(box, rounded_mask(side_px, side_px, side_px / 2))

    return picture.each_frame(cut)


def rounded_corners(picture: Picture, step: RoundedCorners) -> Picture:
    """Round the corners, at most by half the shorter side."""
    width_px, height_px = picture.width_px, picture.height_px
    radius_px = min(step.radius_px, min(width_px, height_px) / 2)
    return picture.each_frame(
        lambda image: _seen_through(image, rounded_mask(width_px, height_px, radius_px))
    )


def rounded_mask(width_px: int, height_px: int, radius_px: float) -> Image:
    """Draw opacity: 255 inside a rectangle with round corners, 0 outside, between on the edge."""
    place = pyvips.Image.xyz(width_px, height_px) + 0.5
    across = _beyond(place.extract_band(0), radius_px, width_px)
    down = _beyond(place.extract_band(1), radius_px, height_px)
    distance = (across * across + down * down) ** 0.5
    return ((radius_px - distance + 0.5) * 255).cast("uchar")


def _beyond(position: Image, radius_px: float, length_px: int) -> Image:
    """Tell how far a position lies outside the stretch between the corners' centres."""
    before, after = radius_px - position, position - (length_px - radius_px)
    outside = (before > after).ifthenelse(before, after)
    return (outside > 0).ifthenelse(outside, 0)


def _seen_through(image: Image, mask: Image) -> Image:
    """Let a mask limit an image's opacity."""
    if not image.hasalpha():
        return image.bandjoin(mask)
    opacity = (image.extract_band(SRGB_BANDS) * mask / 255).rint().cast("uchar")
    return image.extract_band(0, n=SRGB_BANDS).bandjoin(opacity)
