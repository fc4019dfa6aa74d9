"""The law of the house, held by a test: arrows go down, edge to meaning to state, and leaves know nobody.

Because: an operation that knows HTTP can't be called by the console, a store that knows S3 can't be replaced,
and a house with circles can't be read in an afternoon.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "meiku"

LAYERS = {
    "leaf": {
        "errors",
        "client",
        "folders",
        "data_folder",
        "config",
        "model",
        "signing",
        "checksums",
        "counters",
        "operation",
        "__init__",
    },
    "state": {"meta", "blobs"},
    "meaning": {"ops", "access", "media"},
    "edge": {
        *("wire", "auth", "who", "admission", "pipeline", "refusals", "readiness", "observe", "metrics"),
        *("serve", "worker", "listening"),
    },
    "root": {"app", "root_key", "inherited_secrets", "start", "backup", "cli", "__main__"},
}
MAY_IMPORT = {
    "leaf": {"leaf"},
    "state": {"leaf", "state"},
    "meaning": {"leaf", "state", "meaning"},
    "edge": {"leaf", "state", "meaning", "edge"},
    "root": {"leaf", "state", "meaning", "edge", "root"},
}
# Narrower than the layers: parts that must not know each other although a layer would let them.
NEVER = {
    "auth": {"wire", "ops", "access", "meta", "blobs", "pipeline"},  # signatures are judged without I/O
    "wire": {"ops", "access", "meta", "blobs", "pipeline", "who"},  # the wire knows no storage and no meaning
    "access": {"ops"},
    "media": {"ops", "access", "meta", "blobs"},  # what is made of a picture knows no store
    "meta": {"blobs"},
    "blobs": {"meta"},
    "pipeline": {"app", "cli", "serve"},
    "serve": {"app", "ops", "pipeline"},
    "worker": {"app", "ops", "pipeline"},
}
UNNAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}


def modules() -> Iterator[tuple[Path, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, path.relative_to(SOURCE).parts[0].removesuffix(".py")


def layer_of(part: str) -> str:
    return next(layer for layer, parts in LAYERS.items() if part in parts)


def imported_parts(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{a.name}" if node.module == "meiku" else node.module for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("meiku.")}
    return found


def test_every_module_has_a_layer() -> None:
    """A new part says where it stands before it may stand there."""
    known = set().union(*LAYERS.values())
    assert {part for _, part in modules()} <= known


@pytest.mark.parametrize(("path", "part"), list(modules()), ids=lambda v: str(v).rpartition("meiku/")[2])
def test_arrows_go_down(path: Path, part: str) -> None:
    """A module imports only its own layer and those below."""
    allowed = MAY_IMPORT[layer_of(part)]
    for imported in imported_parts(path) - {part, "__version__"}:
        assert layer_of(imported) in allowed, f"{path.name} ({layer_of(part)}) imports {imported}"
        assert imported not in NEVER.get(part, set()), f"{part} must not know {imported}"


def imported_files(path: Path) -> Iterator[Path]:
    """List the files of the house that a file imports, at its head or within its functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "meiku":
            for name in node.names:
                yield from _files_of(f"{node.module}.{name.name}") or _files_of(node.module)


def _files_of(module: str) -> list[Path]:
    place = SOURCE.joinpath(*module.split(".")[1:])
    return [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()]


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Files make no circle, because one of a circle cannot be read without all of them."""
    imports = {path: set(imported_files(path)) - {path} for path, _ in modules()}
    below: set[Path] = set()
    while ready := [path for path in imports if path not in below and imports[path] <= below]:
        below |= set(ready)
    left = {path.relative_to(SOURCE) for path in imports if path not in below}
    assert not left, f"these lie in a circle, or above one: {sorted(map(str, left))}"


def test_signing_is_for_everyone() -> None:
    """`meiku.signing` can be copied into any application server: the standard library and itself only."""
    for path in (SOURCE / "signing").rglob("*.py"):
        assert imported_parts(path) <= {"signing"}, path
        tree = ast.parse(path.read_text(encoding="utf-8"))
        roots = {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        assert roots <= {"meiku", *__import__("sys").stdlib_module_names}, path


def test_nobody_imports_the_composition_root() -> None:
    """Parts are put together in `app` alone; only the command line and the process that serves start it."""
    for path, part in modules():
        assert "app" not in imported_parts(path) or part in ("start", "backup", "cli", "app"), path


def test_a_file_opens_with_its_law() -> None:
    """The first thing in a file says what lives there and what must not."""
    for path, _ in modules():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_names_say_something() -> None:
    """No file is named after nothing, and none has grown past 400 lines."""
    for path, _ in modules():
        assert path.stem not in UNNAMES, path
        assert path.read_text(encoding="utf-8").count("\n") <= 400, f"{path} should be split along its nouns"
