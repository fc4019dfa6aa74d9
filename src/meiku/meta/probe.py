"""Transactions that find out whether a store reads and writes, and change nothing."""

from meiku.meta.transaction import Statement, Transaction


def read_one_row() -> Transaction[None]:
    """Read what every store holds."""
    yield Statement("SELECT version FROM settings_version")


def write_no_row() -> Transaction[None]:
    """Write to a table, and to no row of it; a store that may not be written refuses that, too."""
    yield Statement("UPDATE settings_version SET version = version WHERE 1 = 0")
