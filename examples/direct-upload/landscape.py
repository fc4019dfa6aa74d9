"""The scene of all samples, drawn as SVG: a lake in the morning. Shapes and colours; no files, no letters.

A horizon, a sun to the left, a balloon in all colours to the right: nothing looks the same when it is turned,
mirrored, cut or tinted. The same every time it is drawn.
"""

import math
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pyvips

# libvips has no types; what is known of an image here is that libvips made it.
Image = Any

WIDTH_PX, HEIGHT_PX = 960, 640
BALLOON_WIDTH_PX, BALLOON_HEIGHT_PX = 220, 290
_SHORE_PX = 400
_GORES = 12

_SCENE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 640" width="{width}" height="{height}">
<defs>
<linearGradient id="sky" x2="0" y2="1"><stop stop-color="#3c7c9e"/><stop offset=".55" stop-color="#a5cfd1"/>
<stop offset="1" stop-color="#fcdcae"/></linearGradient>
<linearGradient id="water" x2="0" y2="1"><stop stop-color="#efcfa2"/><stop offset=".22" stop-color="#9fc2bd"/>
<stop offset=".6" stop-color="#417f8c"/><stop offset="1" stop-color="#1b4657"/></linearGradient>
<linearGradient id="hill" x2="0" y2="1"><stop stop-color="#5f8f7f"/><stop offset="1" stop-color="#3f6f62"/>
</linearGradient>
<radialGradient id="glow"><stop stop-color="#fff3cf" stop-opacity=".95"/>
<stop offset=".25" stop-color="#ffe3a6" stop-opacity=".55"/>
<stop offset="1" stop-color="#ffe3a6" stop-opacity="0"/>
</radialGradient>
<radialGradient id="cloud"><stop stop-color="#fff" stop-opacity=".75"/><stop offset="1" stop-color="#fff"
stop-opacity="0"/></radialGradient>
</defs>
<rect width="960" height="400" fill="url(#sky)"/>
<g fill="url(#cloud)">
<ellipse cx="430" cy="96" rx="170" ry="20"/><ellipse cx="520" cy="118" rx="120" ry="14"/>
<ellipse cx="90" cy="150" rx="150" ry="16"/><ellipse cx="890" cy="190" rx="140" ry="15"/></g>
<circle cx="250" cy="292" r="270" fill="url(#glow)"/><circle cx="250" cy="292" r="46" fill="#fffaea"/>
<path fill="#86a6b6"
d="M0 352 92 300 170 334 300 268 392 320 470 286 604 232 690 302 784 268 880 318 960 288V404H0Z"/>
<path fill="#b9cdd4"
d="M604 232 570 262 592 258 606 270 622 256 640 262ZM300 268 276 284 296 282 306 290 324 280Z"/>
<path fill="url(#hill)" d="M0 376C120 334 220 356 330 372S560 344 690 360 880 334 960 350V406H0Z"/>
<rect y="400" width="960" height="240" fill="url(#water)"/>
{shadows}{glints}{trees}
<g><path fill="#fffdf6" d="M466 356V436H420Z"/><path fill="#c4523f" d="M472 366V436H506Z"/>
<path fill="#2a2f33" d="M408 440H520L506 456H424Z"/>
<path d="M469 350V440" stroke="#2a2f33" stroke-width="3"/></g>
<g fill="none" stroke="#274657" stroke-width="2.4" stroke-linecap="round">
<path d="M352 150q9-9 16 0q8-9 16 0"/>
<path d="M402 176q7-7 12 0q6-7 12 0"/><path d="M338 196q6-6 10 0q5-6 10 0"/></g>
<path fill="#1d332c" d="M0 556C90 522 190 560 300 588S470 622 560 640H0Z"/>
<g stroke="#2f5a45" stroke-width="2" fill="none">{grass}</g>
</svg>"""
_BALLOON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="-110 0 220 290"
width="{width}" height="{height}">
<g>{gores}</g><path d="M-24 218-16 256M24 218 16 256" stroke="#5b4630" stroke-width="2"/>
<path fill="#7a5836" d="M-18 256H18L15 284H-15Z"/><path fill="#5b4630" d="M-18 256H18V262H-18Z"/></svg>"""


def landscape(scale: float = 1.0) -> Image:
    """Draw the scene without its balloon."""
    width_px, height_px = round(WIDTH_PX * scale), round(HEIGHT_PX * scale)
    chance = random.Random(7)
    text = _SCENE.format(
        width=width_px,
        height=height_px,
        shadows="".join(_shadows()),
        glints="".join(_glints(chance)),
        trees="".join(_trees(chance)),
        grass="".join(_grass(chance)),
    )
    return _drawn(text).flatten()


def balloon(scale: float = 1.0) -> Image:
    """Draw the balloon alone, on nothing."""
    width_px, height_px = round(BALLOON_WIDTH_PX * scale), round(BALLOON_HEIGHT_PX * scale)
    return _drawn(_BALLOON.format(width=width_px, height=height_px, gores="".join(_gores())))


def _drawn(svg: str) -> Image:
    return pyvips.Image.svgload_buffer(svg.encode()).copy_memory()


def _gores() -> Iterator[str]:
    """Sew the envelope of strips between meridians, each of another hue."""
    across = [-math.cos(math.pi * number / _GORES) for number in range(_GORES + 1)]
    for number, (left, right) in enumerate(pairwise(across)):
        light = 62 - 14 * abs(left + right) / 2
        path = f"M0 4C{_meridian(left)}L{24 * right:.1f} 218C{_meridian(right, upwards=True)}Z"
        yield f'<path fill="hsl({360 * number / _GORES:.0f},64%,{light:.0f}%)" d="{path}"/>'


def _meridian(share: float, *, upwards: bool = False) -> str:
    """Write a line from the top to the skirt, or back; `share` is -1 for the left outline, 1 the right."""
    points = [(142 * share, 6), (132 * share, 136), (24 * share, 218)]
    points = [points[1], points[0], (0.0, 4)] if upwards else points
    return " ".join(f"{x:.1f} {y}" for x, y in points)


def _shadows() -> Iterator[str]:
    """Lay the hills upside down onto the water."""
    yield '<path fill="#3f6f62" opacity=".28" d="M0 400H960V430C840 452 700 428 560 440S220 462 0 436Z"/>'
    yield '<path fill="#fffdf6" opacity=".35" d="M466 460V500L432 462Z"/>'


def _glints(chance: random.Random) -> Iterator[str]:
    """Let the sun lie on the water, and a little light everywhere."""
    for down in range(404, 560, 5):
        wide, middle = 14 + (down - _SHORE_PX) * 0.34 * chance.uniform(0.4, 1), 250 + chance.uniform(-10, 10)
        line = f"M{middle - wide:.0f} {down}H{middle + wide:.0f}"
        yield f'<path stroke="#fff2cd" stroke-width="2" opacity=".6" d="{line}"/>'
    for _ in range(120):
        x, y = chance.uniform(0, 960), chance.triangular(404, 636, 420)
        yield f'<path stroke="#d9ece6" opacity=".3" d="M{x:.0f} {y:.0f}h{(y - 380) * 0.12:.0f}"/>'


def _trees(chance: random.Random) -> Iterator[str]:
    """Plant firs on both shores, the near ones darker."""
    for _ in range(70):
        x = chance.choice([chance.uniform(0, 190), chance.uniform(560, 960)])
        high, foot = chance.uniform(18, 62), 400 + chance.uniform(0, 6)
        wide, light = high * 0.26, chance.uniform(14, 27)
        tiers = "".join(_tier(number, x, foot - high, wide, high) for number in range(3))
        yield f'<path fill="hsl(158,32%,{light:.0f}%)" d="{tiers}"/>'


def _tier(number: int, x: float, top: float, wide: float, high: float) -> str:
    """Write one of a fir's three skirts; each further down is wider."""
    half = wide * (0.6 + number * 0.25)
    return f"M{x:.0f} {top + number * high * 0.28:.0f}l{half:.0f} {high * 0.44:.0f}h-{2 * half:.0f}z"


def _grass(chance: random.Random) -> Iterator[str]:
    for _ in range(90):
        x = chance.uniform(0, 420)
        foot = 556 + x * 0.17 + chance.uniform(0, 40)
        bend, tip = chance.uniform(-6, 6), chance.uniform(-10, 10)
        yield f'<path d="M{x:.0f} {foot:.0f}q{bend:.0f}-14 {tip:.0f}-26"/>'
