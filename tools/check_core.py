"""What the core weighs and loads: run it in an environment with the core alone.

    python tools/check_core.py

Prints the installed size of dotori and all that it needs (without the byte code that
pip makes of it), and the packages that ``import dotori`` loads; exits with 1 if either
is more than promised.
"""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

LIMIT_MB = 75.0
PROMISED = {"numpy", "safetensors"}


def requirements(name: str) -> set[str]:
    """`name` and everything that it needs, extras left out."""
    found, waiting = set(), [name]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        lines = importlib.metadata.requires(package) or []
        needed = [line for line in lines if "extra ==" not in line]
        waiting += [re.split(r"[^A-Za-z0-9_.-]", n, maxsplit=1)[0] for n in needed]
    return found


def installed_bytes(name: str) -> int:
    files = importlib.metadata.files(name) or []
    paths = [Path(str(f.locate())) for f in files if "__pycache__" not in str(f)]
    return sum(p.stat().st_size for p in paths if p.is_file())


def loaded() -> set[str]:
    code = (
        "import sys; before = set(sys.modules); import dotori;"
        "print(*{m.partition('.')[0] for m in set(sys.modules) - before})"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    return {m for m in out if m not in sys.stdlib_module_names}


def main() -> int:
    needed = requirements("dotori")
    sizes = {name: installed_bytes(name) / 1e6 for name in sorted(needed)}
    total = sum(sizes.values())
    for name, megabytes in sizes.items():
        print(f"{name:14} {megabytes:7.1f} MB")
    print(f"{'together':14} {total:7.1f} MB (limit {LIMIT_MB:g})")
    third_party = {m for m in loaded() if not m.startswith("_")} - {"dotori"}
    print(f"import dotori loads: {', '.join(sorted(third_party))}")
    wrong = needed - PROMISED - {"dotori"} or third_party - PROMISED
    return int(total > LIMIT_MB or bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
