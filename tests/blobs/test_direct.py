"""Whatever the pieces, the file holds exactly their bytes, also where the disk cannot be written directly."""

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meiku.blobs.direct import DirectFile

_SIZES = st.one_of(
    st.integers(0, 20_000), st.sampled_from([4095, 4096, 4097, 524_287, 524_288, 524_289, 1_100_000])
)


def _bytes(size_bytes: int, number: int) -> bytes:
    return (number.to_bytes(2, "big") * (size_bytes // 2 + 1))[:size_bytes]


@given(calls=st.lists(st.lists(_SIZES, max_size=4), max_size=4))
def test_every_cut_into_pieces_gives_the_same_file(
    calls: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("direct") / "file"
    file, sent = DirectFile(path), b""
    for number, sizes in enumerate(calls):
        pieces = [_bytes(size, number * 7 + place) for place, size in enumerate(sizes)]
        file.append(pieces)
        sent += b"".join(pieces)
    file.sync()
    file.close()
    assert path.read_bytes() == sent


def test_a_disk_that_refuses_direct_writes_gets_them_through_the_cache(tmp_path: Path) -> None:
    """A position between blocks is refused (EINVAL), as a filesystem without O_DIRECT refuses every one."""
    path = tmp_path / "file"
    file = DirectFile(path)
    os.lseek(file.number, 1, os.SEEK_SET)
    file.append([b"x" * 10_000])
    assert not fcntl.fcntl(file.number, fcntl.F_GETFL) & os.O_DIRECT
    file.append([b"y" * 600_000])
    file.sync()
    file.close()
    assert path.read_bytes() == b"\0" + b"x" * 10_000 + b"y" * 600_000


def test_whole_blocks_never_stay_behind_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = DirectFile(path)
    file.append([b"x" * 100_000])
    assert path.stat().st_size == 100_000 - 100_000 % 4096
    file.close()
