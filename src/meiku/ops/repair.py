"""Repair: does for a finding what can be done without losing a byte that somebody may want.

It removes what no row names, takes what a row names out of what waits to be deleted, and adds up anew what
was added up wrongly. Bytes that are lost cannot be made again here; then it says so, and touches neither the
record nor what is left of them.
"""

from dataclasses import dataclass

from meiku.blobs import Blobs
from meiku.meta import Meta
from meiku.meta.counts import recount_results, recount_usage
from meiku.meta.stored import keep_released, release_inline
from meiku.ops.findings import Finding, Kind
from meiku.ops.sweep import remove_orphan

_WHY_NOT: dict[Kind, str] = {
    "unverifiable": "nothing is known that its bytes could be compared with; copy the object onto itself",
    "too-long": "the object reads as it should; nothing was cut off",
    "stray-parts": "kept: nobody can say whether the bytes are wanted",
    "database": "restore a backup; `meiku backup` still copies what can be read",
}
_LOST = "the bytes are not here any more: restore a backup, or upload it again"
_LOST_PART = "the bytes are not here any more: upload the part again, or abort the upload"


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of a finding: whether it is mended, and one sentence."""

    finding: Finding
    done: bool
    sentence: str


async def repair(meta: Meta, blobs: Blobs, finding: Finding, now_ms: int) -> Repair:
    """Mend what can be mended."""
    if finding.kind == "released":
        await meta.write(keep_released)
        return Repair(finding, True, "kept: it no longer waits to be deleted")
    if finding.kind == "count":
        return await _recount(meta, finding)
    if finding.kind == "orphan":
        return await _remove_orphan(meta, blobs, finding, now_ms)
    lost = _LOST_PART if finding.upload_id else _LOST
    return Repair(finding, False, _WHY_NOT.get(finding.kind, lost))


async def _recount(meta: Meta, finding: Finding) -> Repair:
    if finding.bucket is None:
        await meta.write(recount_results)
    else:
        await meta.write(recount_usage, finding.bucket)
    return Repair(finding, True, "counted anew")


async def _remove_orphan(meta: Meta, blobs: Blobs, finding: Finding, now_ms: int) -> Repair:
    content_id = finding.content_id or ""
    if content_id.isdecimal() and len(content_id) < 32:  # a number of the rows' own, not the id of a blob
        await meta.write(release_inline, [int(content_id)], now_ms)
        return Repair(finding, True, "released: the sweep removes it after the grace")
    if await remove_orphan(meta, blobs, content_id):
        return Repair(finding, True, "removed")
    return Repair(finding, True, "kept: a row names it now, or its writer still holds it")
