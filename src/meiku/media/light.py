"""Brings light and colours down to what a picture in sRGB shows: HDR (PQ, HLG), BT.2020 and P3.

Curves of ITU-R BT.2100, the roll-off of BT.2390, diffuse white at 203 cd/m² as BT.2408 has it, colours of
BT.2087. Each channel takes its own way, so very bright colours turn a little paler. Knows no video.
"""

import math
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cache

import pyvips

from meiku.media.facts import Image

_CODE_BITS = 12
_WHITE_CD_M2, _PQ_PEAK_CD_M2 = 203.0, 10_000.0
# Films are graded for displays of about this; what is brighter is white.
_PEAK_CD_M2 = 1_000.0
_HLG_SYSTEM_GAMMA = 1.2


class Transfer(IntEnum):
    """Curves between code and light that a picture does not have, as FFmpeg numbers them."""

    PQ = 16
    HLG = 18


class Primaries(IntEnum):
    """Sets of colours, as FFmpeg numbers them."""

    UNKNOWN = 2
    BT2020 = 9
    P3 = 12


_TO_SRGB: Mapping[int, list[list[float]]] = {
    Primaries.BT2020: [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    Primaries.P3: [[1.2249, -0.2249, 0.0], [-0.0421, 1.0421, 0.0], [-0.0196, -0.0786, 1.0983]],
}


def is_beyond_srgb(transfer: int, primaries: int) -> bool:
    """Tell whether codes are not those of sRGB."""
    return transfer in _LIGHT or primaries in _TO_SRGB


def to_srgb(image: Image, transfer: int, primaries: int) -> Image:
    """Convert an image of 16 bits a channel, as decoded, to sRGB."""
    light = (image >> (16 - _CODE_BITS)).maplut(_table(transfer if transfer in _LIGHT else 0))
    if primaries == Primaries.UNKNOWN and transfer in _LIGHT:
        primaries = Primaries.BT2020
    matrix = _TO_SRGB.get(primaries)
    mixed = light.recomb(pyvips.Image.new_from_array(matrix)) if matrix else light
    return mixed.copy(interpretation="scrgb").colourspace("srgb")


@cache
def _table(transfer: int) -> Image:
    """Make the table from codes to light, in which 1 is white."""
    light, last = _LIGHT.get(transfer, _srgb_light), (1 << _CODE_BITS) - 1
    return pyvips.Image.new_from_array([[light(code / last) for code in range(last + 1)]])


def _hlg_light(code: float) -> float:
    scene = code * code / 3 if code <= 0.5 else (math.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _rolled_off(_pq_code(_PEAK_CD_M2 * scene**_HLG_SYSTEM_GAMMA))


def _srgb_light(code: float) -> float:
    return float(code / 12.92 if code <= 0.04045 else ((code + 0.055) / 1.055) ** 2.4)


def _rolled_off(code: float) -> float:
    """Answer the light of a PQ code; the brightest are pressed together below white (BT.2390, 5.4.1)."""
    peak = _pq_code(_PEAK_CD_M2)
    most = _pq_code(_WHITE_CD_M2) / peak
    code, knee = min(1.0, code / peak), 1.5 * most - 0.5
    if code >= knee:
        t = (code - knee) / (1 - knee)
        rising = 3 * t**2 - 2 * t**3
        code = (1 - rising) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + rising * most
    return _pq_cd_m2(code * peak) / _WHITE_CD_M2


_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _pq_cd_m2(code: float) -> float:
    root = code ** (1 / _M2)
    return float(_PQ_PEAK_CD_M2 * (max(0.0, root - _C1) / (_C2 - _C3 * root)) ** (1 / _M1))


def _pq_code(cd_m2: float) -> float:
    power = (cd_m2 / _PQ_PEAK_CD_M2) ** _M1
    return float(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


_LIGHT: Mapping[int, Callable[[float], float]] = {Transfer.PQ: _rolled_off, Transfer.HLG: _hlg_light}
