"""The signer stands alone: anyone may use it without the server's dependencies."""

import subprocess
import sys

_LIST_MODULES = "import sys, meiku.signing; print('\\n'.join(sys.modules))"


def test_signing_imports_the_standard_library_and_itself_only() -> None:
    """`import meiku.signing` loads no third-party package and no other part of meiku."""
    command = [sys.executable, "-c", _LIST_MODULES]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    plain = [sys.executable, "-c", "import sys; print('\\n'.join(sys.modules))"]
    before = set(subprocess.run(plain, capture_output=True, text=True, check=True).stdout.split())
    ours = {name for name in names if name.partition(".")[0] == "meiku"}
    others = {name.partition(".")[0] for name in names if name not in before} - {"meiku"}
    assert "meiku.signing" in ours
    assert {name for name in ours if not name.startswith("meiku.signing")} == {"meiku"}
    assert others <= sys.stdlib_module_names
