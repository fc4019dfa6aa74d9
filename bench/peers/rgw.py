"""Ceph's RADOS Gateway on a cluster of one host: monitor, manager, one OSD in a sparse file, gateway.

One replica, loopback only, every daemon in the foreground as a child of ours. Nagle's algorithm is switched
off in the gateway: with its default small answers over kept connections take 40 ms each, and it would look
seven times slower than it is.
"""

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from bench.peers.peer import Peer, free_port
from bench.tally import BadAnswer

_OSD_BYTES = 40 << 30
_CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor_v2}/0,v1:127.0.0.1:{monitor_v1}/0]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
keyring = {folder}/keyring
mon warn on insecure global id reclaim allowed = false
client mount timeout = 20
rados mon op timeout = 20
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail warn = 5
mon data avail crit = 2
osd crush chooseleaf type = 0
run dir = {folder}/run
log file = {folder}/run/$name.log
admin socket = {folder}/run/$name.asok
pid file = {folder}/run/$name.pid
crash dir = {folder}/run
setuser match path = /nonexistent
[mon.a]
mon data = {folder}/mon
[mgr.x]
mgr data = {folder}/mgr
mgr initial modules =
[osd.0]
osd data = {folder}/osd
osd objectstore = bluestore
bluestore block size = {osd_bytes}
bluestore block create = true
osd memory target = 2147483648
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw data = {folder}/rgw
rgw dns name =
"""
_KEYS = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
    "mgr.x": ("mon", "allow profile mgr", "osd", "allow *"),
    "osd.0": ("mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *"),
    "client.rgw.a": ("mon", "allow rw", "osd", "allow rwx", "mgr", "allow rw"),
}


class Rgw(Peer):
    """The S3 server of people with many disks."""

    name = "rgw"
    title = "Ceph RGW"
    programs: ClassVar[Mapping[str, str]] = {
        "ceph-mon": "ceph-mon",
        "ceph-mgr": "ceph-mgr",
        "ceph-osd": "ceph-osd",
        "radosgw": "radosgw",
    }

    def launch(self) -> None:
        """Make a cluster and start it, daemon by daemon."""
        self._fsid = str(uuid.uuid4())
        for name in ("mon", "mgr", "osd", "rgw", "run"):
            (self._home / name).mkdir()
        self._write_configuration()
        self._write_keys()
        self._start_monitor()
        self._daemon("ceph-mgr", "-i", "x")
        self._start_disk()
        self._daemon("radosgw", "-n", "client.rgw.a")

    def settle(self) -> None:
        """Make the user that everybody signs as."""
        key = self.credentials
        user = ("--uid", "bench", "--display-name", "bench")
        self._run(
            "radosgw-admin",
            "user",
            "create",
            *user,
            "--access-key",
            key.access_key,
            "--secret-key",
            key.secret_key,
        )

    @property
    def _home(self) -> Path:
        return self.folder.resolve()

    @property
    def _conf(self) -> str:
        return str(self._home / "ceph.conf")

    def _write_configuration(self) -> None:
        self._ports = (free_port(), free_port())
        Path(self._conf).write_text(
            _CONFIGURATION.format(
                fsid=self._fsid,
                folder=self._home,
                port=self.port,
                osd_bytes=_OSD_BYTES,
                monitor_v2=self._ports[0],
                monitor_v1=self._ports[1],
            )
        )

    def _write_keys(self) -> None:
        """Write one file with every daemon's key."""
        path = str(self._home / "keyring")
        self._run("ceph-authtool", "--create-keyring", path)
        for name, powers in _KEYS.items():
            caps = [word for pair in zip(powers[::2], powers[1::2], strict=True) for word in ("--cap", *pair)]
            self._run("ceph-authtool", path, "-n", name, "-g", *caps)

    def _start_monitor(self) -> None:
        address = f"[v2:127.0.0.1:{self._ports[0]},v1:127.0.0.1:{self._ports[1]}]"
        monmap, keyring = str(self._home / "monmap"), str(self._home / "keyring")
        self._run("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a", address, monmap)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
        self._daemon("ceph-mon", "-i", "a")
        self._wait(lambda: bool(self._run("ceph", "mon", "stat")))

    def _start_disk(self) -> None:
        disk = str(uuid.uuid4())
        self._run("ceph", "osd", "new", disk, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        self._daemon("ceph-osd", "-i", "0")
        self._wait(lambda: "1 up" in self._run("ceph", "osd", "stat"))

    def _daemon(self, *command: str) -> None:
        self.spawn([*command, "-f", "-c", self._conf])

    def _run(self, *command: str) -> str:
        """Run one of Ceph's programs to its end; what it says is the answer."""
        environment = os.environ | {"CEPH_CONF": self._conf}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise BadAnswer(f"{command[0]}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def _wait(self, ready: Callable[[], bool]) -> None:
        for _ in range(50):
            try:
                if ready():
                    return
            except BadAnswer:
                pass
            time.sleep(0.3)
        raise BadAnswer("a Ceph daemon did not come up")
