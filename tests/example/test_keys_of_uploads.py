"""Where an upload lands: the server's folder, and what survives of the visitor's path."""

import pytest

from application import Announced, Rules, Signer
from meiku.signing import Credentials
from storage import Storage

FOLDER = "uploads/0123abcd/"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cat.jpg", "cat.jpg"),
        ("相册/day 1/cat+1.jpg", "相册/day 1/cat+1.jpg"),
        ("../../etc/passwd", "etc/passwd"),
        ("/absolute//./x", "absolute/x"),
        ("C:\\Users\\me\\cat.jpg", "C:/Users/me/cat.jpg"),
        ("a\x00b\n.txt", "ab.txt"),
        ("..", "file"),
        ("///", "file"),
        ("1/2/3/4/5/6/7/8/9/x", "3/4/5/6/7/8/9/x"),
    ],
)
def test_a_path_stays_within_its_folder(sent: str, kept: str) -> None:
    """Folders are kept, ways upwards and what cannot be printed are not; something is always left."""
    assert Rules().key(FOLDER, sent) == FOLDER + kept


def test_a_key_is_never_too_long() -> None:
    """The longest name of the longest characters still fits into S3's key."""
    for name in ("媒" * 1024, "𠀀" * 1024, "/".join("媒" * 300 for _ in range(9))):
        assert len(Rules().key(FOLDER, name).encode()) <= 1023


def signer(secret: str) -> Signer:
    storage = Storage(Credentials("AK", secret), "http://127.0.0.1:9000", "http://b.localhost:9000/", "b")
    return Signer(storage, Rules(), "http://localhost:8080")


def test_a_batch_shares_a_folder_that_tells_nothing_of_it() -> None:
    """The same batch, the same folder; another batch, or another secret, another one."""
    ours, file = signer("secret"), Announced(filename="a", batch="0" * 32, size_bytes=1)
    folder = ours.key(file).rpartition("/")[0]
    assert ours.key(file.model_copy(update={"filename": "b"})) == f"{folder}/b"
    assert ours.key(file.model_copy(update={"batch": "1" * 32})).rpartition("/")[0] != folder
    assert signer("another").key(file).rpartition("/")[0] != folder


def test_without_a_batch_every_upload_has_its_own_folder() -> None:
    """Equal names never overwrite each other."""
    file = Announced(filename="a", size_bytes=1)
    assert len({signer("secret").key(file) for _ in range(20)}) == 20
