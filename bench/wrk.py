"""Runs wrk: writes what `load.lua` reads, and reads what it writes.

wrk cannot send HEAD (it waits for the body whose length is announced): `heads.py` does that.
"""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from bench.tally import BadAnswer, Plan, Tally

_SCRIPT = Path(__file__).with_name("load.lua")
_ANSWER_WITHIN_S = 60
_LONGEST_S = 300


def run(plan: Plan, url: str, connections: int, seconds: int, folder: Path) -> Tally:
    """Send the plan's requests over so many connections; a plan with `times` takes as long as it takes."""
    threads = min(connections, 2 if len(plan.targets) > 4 else len(plan.targets))
    path = _write(plan, folder, threads)
    lasting_s = _LONGEST_S if plan.times else seconds
    command = [
        *("wrk", "-t", str(threads), "-c", str(connections), "-d", f"{lasting_s}s"),
        *("--timeout", f"{_ANSWER_WITHIN_S}s", "-s", str(_SCRIPT), url, "--", str(path)),
    ]
    written = _finish(command, threads if plan.times else 0)
    return _read(written, plan, connections // threads)


def _write(plan: Plan, folder: Path, threads: int) -> Path:
    """Write the plan where Lua finds it; all of it is text but the pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = folder / "targets"
    targets.write_text("".join(f"{key} {target}\n" for key, target in plan.targets))
    names = []
    for number, piece in enumerate(plan.pieces):
        (folder / f"piece{number}").write_bytes(piece)
        names.append(json.dumps(str(folder / f"piece{number}")))
    path = folder / "plan.lua"
    path.write_text(
        f"return {{ verb = {json.dumps(plan.verb)}, targets = {json.dumps(str(targets))}, "
        f"pieces = {{ {', '.join(names)} }}, threads = {threads}, times = {plan.times} }}\n"
    )
    return path


def _finish(command: list[str], threads_to_finish: int) -> str:
    """Run wrk to its end; when threads report that they are finished, the last one ends it early."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        complaints = ""
        for line in process.stderr:
            if line != "finished\n":
                complaints += line
            elif (threads_to_finish := threads_to_finish - 1) == 0:
                process.send_signal(signal.SIGINT)
        written = process.stdout.read()
        if process.wait() != 0 or '"total"' not in written:
            raise BadAnswer(f"wrk: {complaints or written}")
        return written


def _read(written: str, plan: Plan, connections_per_thread: int) -> Tally:
    documents = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    threads = [document["thread"] for document in documents if "thread" in document]
    total = next(document["total"] for document in documents if "total" in document)
    counted = [_answers(thread, plan, connections_per_thread) for thread in threads]
    windows = [thread["window_s"] for thread in threads]
    if plan.times:
        rate = sum(counted) / max(windows)
    else:
        rate = sum(n / s if s > 0 else 0.0 for n, s in zip(counted, windows, strict=True))
    errors = {f"{name} error": total[name] for name in ("connect", "read", "write", "timeout")}
    errors["status above 399"] = total["status"]
    errors["status above 299"] = sum(thread["refused"] for thread in threads)
    return Tally(sum(counted), rate, total["p50_us"] / 1e3, total["p99_us"] / 1e3, errors)


def _answers(thread: dict[str, Any], plan: Plan, connections: int) -> int:
    """Count answers: every request but the first of each connection follows one."""
    return int(thread["answers"]) if plan.times else max(0, int(thread["calls"]) - connections)
