"""Who a client is, to whoever counts: an address. What is counted, and what is too much, others know."""

from ipaddress import IPv6Address

_NETWORK_BITS = 64


def client_of(peer: object) -> str:
    """Name the client at a socket's other end: its address, or its network in IPv6, where they abound."""
    if not isinstance(peer, tuple):
        return ""
    host = str(peer[0])
    if ":" not in host:
        return host
    address = IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or int(address) >> _NETWORK_BITS)
