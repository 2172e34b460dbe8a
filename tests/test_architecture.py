"""The map in docs/design.md, held against the code: who may import whom, and when."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dotori

PACKAGE = Path(dotori.__file__).parent

# Each part may import the parts above it, at the top of its files.
LAYERS = [
    ["_version", "errors"],
    ["backend"],
    ["cuda"],
    ["dtypes"],
    ["random"],
    ["autograd"],
    ["kernels"],
    ["ops"],
    ["functions", "linalg", "fft", "signal", "special"],
    ["_later"],
    ["_methods"],
    ["_tensor"],
    ["_gradcheck"],
    ["nn"],
    ["optim"],
    ["io"],
    ["data"],
    ["compiler"],
    ["train"],
    ["algorithms"],
    ["learn"],
    ["tabular"],
    ["cli"],
    ["__main__"],
]
RANK = {part: i for i, parts in enumerate(LAYERS) for part in parts}
# nn reads and writes weight files; io knows arrays only, so this forms no cycle.
EXCEPTIONS = {("nn", "io")}

FILES = sorted(PACKAGE.rglob("*.py"))
# Parts that are loaded by nobody who has not installed their extra.
MAY_IMPORT = {"cli": {"typer", "rich"}, "learn": {"sklearn", "scipy"}}
ALLOWED_AT_IMPORT = {"numpy", "safetensors", "dotori"} | set(sys.stdlib_module_names)


def part_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def top_level_imports(path: Path) -> list[str]:
    """Modules imported when the file is, `if TYPE_CHECKING` blocks left out."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found += (
                [f"dotori.{a.name}" for a in node.names]
                if module == "dotori"
                else [module]
            )
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_upwards_only(path: Path) -> None:
    here = part_of(path)
    if path == PACKAGE / "__init__.py":
        return
    assert here in RANK, f"{here} has no place in the list of layers"
    for module in top_level_imports(path):
        root, _, rest = module.partition(".")
        allowed = ALLOWED_AT_IMPORT | MAY_IMPORT.get(here, set())
        assert root in allowed, f"{path} imports {module}"
        there = rest.partition(".")[0]
        if root == "dotori" and there and (here, there) not in EXCEPTIONS:
            assert there in RANK, f"{path}: {module} has no place in the layers"
            assert RANK[there] <= RANK[here], f"{path}: {here} imports {there}"


def test_a_wrong_import_would_be_seen(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("from dotori import nn\nimport scipy\n", encoding="utf-8")
    assert top_level_imports(file) == ["dotori.nn", "scipy"]
    assert RANK["nn"] > RANK["ops"]


def loaded_by(code: str) -> set[str]:
    """The top-level modules in a fresh interpreter after `code`."""
    script = f"{code}\nimport sys; print(*{{m.partition('.')[0] for m in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_import_loads_numpy_and_the_standard_library_only() -> None:
    extra = loaded_by("import dotori") - loaded_by("import numpy")
    third_party = {m for m in extra if m not in sys.stdlib_module_names}
    assert {m for m in third_party if not m.startswith("_")} <= {"dotori"}
    slow = {"asyncio", "multiprocessing", "concurrent", "http", "email", "sqlite3"}
    assert not extra & slow


def test_files_stay_readable() -> None:
    long = {
        str(p.relative_to(PACKAGE)): n
        for p in FILES
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long, f"split these files: {long}"
