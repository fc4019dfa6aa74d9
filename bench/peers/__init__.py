"""The servers that are measured, a file each; what they have in common is in `peer`."""

from bench.peers.limit import Limit
from bench.peers.meiku import Meiku
from bench.peers.moto import Moto
from bench.peers.nginx import Nginx
from bench.peers.peer import Peer
from bench.peers.rgw import Rgw
from bench.peers.s3rver import S3rver
from bench.peers.sharp import Sharp
from bench.peers.thumbor import Thumbor

PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (Meiku, Rgw, S3rver, Moto, Nginx, Thumbor, Sharp, Limit)
}

__all__ = ["PEERS", "Meiku", "Peer"]
