"""Writes what was measured, as a page. Measures nothing and rounds only here."""

from bench.bars import OURS, judge
from bench.book import Book, Row, mean
from bench.peers import PEERS
from bench.workloads import PICTURES, PREFIXES, find

_MIB = 1 << 20
_YES, _NO = "yes", "**no**"
_DETAILS = """## Latency, processor, memory

p50 and p99 in milliseconds, processor seconds of the server for 1,000 requests, and the peak memory
(proportional set size) of all its processes in MiB."""
_METHOD = """\
- Load: wrk, with requests signed and built beforehand. HEAD has a small epoll client of its own, because wrk
  waits for the body whose length a HEAD's answer announces.
- A status above 399, a cut connection or a wrong sample spoils the whole row. Samples of what is read and
  written are compared by SHA-256.
- meiku runs with its defaults: an answer is sent when the commit is on disk. RGW waits for its disk too;
  s3rver and nginx leave it to the system, moto keeps all in memory and has one turn only.
- nginx knows no S3: it checks no signature and computes no digest, and is here as the limit.
- A multipart upload is 32 parts of 8 MiB, from the first request to the last answer; its latencies are of
  parts.
- Pictures are made of a few JPEGs of 4,000 x 3,000 pixels that look, to an encoder, like photographs. Where
  they are to be made no address is asked for twice: ours end with a slice that changes nothing, thumbor's
  say how long the answer may be held. Both keep what they make; thumbor and sharp read the JPEGs from a
  folder, and thumbor has a process for each core, where its default is one. Samples are compared with what
  libvips alone makes, ours byte for byte.
- libvips alone is the limit: the same calls on bytes in memory, a process for each core, no server.
- Before each measurement the disk is synced, so that nobody pays for what another left behind."""


def write(book: Book) -> str:
    """Write the whole page in Markdown."""
    parts = [
        _head(book),
        "## The bar\n\nRatios of rates within one run, round by round (geometric mean).",
        _bars(book),
        "## Rates\n\nRequests per second; MB/s (10⁶ bytes) where it says so.",
        *_rates(book, _storage_rows(book)),
        *_limits(book),
        *_rates(book, [row for row in book.rows() if row not in _storage_rows(book)]),
        _DETAILS,
        _details(book),
        *_failures(book),
        _notes(book),
    ]
    return "\n\n".join(parts) + "\n"


def title_of(book: Book, row: Row) -> str:
    """Name a row, for people."""
    workload = find(row[0])
    return workload.title.format(crowd=book.crowd, each=book.crowd // PREFIXES)


def _head(book: Book) -> str:
    """Say what this is, on which machine, and how long it took."""
    m = book.machine
    return f"""# How fast meiku is, beside others

Written by `make bench`. Absolute figures on a shared machine mean little, ratios within one run mean more:
everybody ran at once and was given the same work in turn.

- Machine: {m.processor}, {m.cores} cores, {m.memory_gib:.0f} GiB; {m.system}; Python {m.python}; {m.disk}.
- One core hashes MD5 at {m.md5_mb_per_s:,.0f} MB/s and SHA-256 at {m.sha256_mb_per_s:,.0f} MB/s.
- The disk takes {m.fdatasyncs_per_s:,.0f} fdatasync of 4 KiB a second, one after another
  (p50 {m.fdatasync_p50_ms:.2f} ms).
- Run: {book.settings}, {book.took_s / 60:.1f} minutes in all."""


def _bars(book: Book) -> str:
    lines = [f"| {v.work} | {v.bar} | {v.measured} | {'yes' if v.met else '**no**'} |" for v in judge(book)]
    return _table("| work, connections | bar | measured | met |", "| --- | --- | --: | --- |", lines)


def _storage_rows(book: Book) -> list[Row]:
    return [row for row in book.rows() if find(row[0]) not in PICTURES]


def _rates(book: Book, rows: list[Row]) -> list[str]:
    """Write a table of those who have a figure in some of these rows, if there are any."""
    peers = [peer for peer in book.peers if any(book.of(row, peer) for row in rows)]
    if not peers:
        return []
    lines = []
    for row in rows:
        unit = " (MB/s)" if find(row[0]).unit == "MB/s" else ""
        cells = " | ".join(_number(book.rate(row, peer)) for peer in peers)
        lines.append(f"| {title_of(book, row)}{unit} | {row[1]} | {cells} |")
    names = " | ".join(PEERS[peer].title for peer in peers)
    head = f"| work | connections | {names} |"
    return [_table(head, "| --- | --: |" + " --: |" * len(peers), lines)]


def _limits(book: Book) -> list[str]:
    """Say how near a large upload comes to what the processors can hash."""
    rate = book.rate(("put-64m", 4), OURS)
    if rate is None:
        return []
    limit = book.machine.cores * book.machine.md5_mb_per_s
    return [
        f"PUT 64 MiB reaches {rate / limit:.0%} of {limit:,.0f} MB/s, what all cores could do if they "
        "computed MD5 and nothing else; the load generator runs on the same cores."
    ]


def _details(book: Book) -> str:
    lines = []
    for row in book.rows():
        for peer in book.peers:
            figures = book.of(row, peer)
            if not figures:
                continue
            cells = [
                _number(mean(figure.p50_ms for figure in figures)),
                _number(mean(figure.p99_ms for figure in figures)),
                _number(mean(figure.cpu_s_per_1000 for figure in figures)),
                _number(max(figure.peak_bytes for figure in figures) / _MIB),
            ]
            title = f"{title_of(book, row)} | {row[1]} | {PEERS[peer].title}"
            lines.append(f"| {title} | {' | '.join(cells)} |")
    head = "| work | connections | server | p50 | p99 | CPU s / 1,000 | peak MiB |"
    return _table(head, "| --- | --: | --- | --: | --: | --: | --: |", lines)


def _failures(book: Book) -> list[str]:
    if not book.failures:
        return []
    lines = [
        f"- {PEERS[peer].title}, {title_of(book, row)}, {row[1]} connections: {reason}"
        for (row, peer), reason in book.failures.items()
    ]
    return ["## No result", "A run with a wrong answer is not a result.", "\n".join(lines)]


def _notes(book: Book) -> str:
    starts = ", ".join(f"{PEERS[name].title} {s:.1f} s" for name, s in book.started_within_s.items())
    idle = ", ".join(f"{PEERS[name].title} {size / _MIB:.0f} MiB" for name, size in book.idle_bytes.items())
    return f"""## How it was measured

- First answer after the command: {starts}.
- Idle memory: {idle}.
{_METHOD}"""


def _table(head: str, rule: str, lines: list[str]) -> str:
    return "\n".join([head, rule, *lines])


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
