"""The reference lists whatever is public, and the guide is wired up."""

import inspect
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import dotori
from dotori.functions import _lazy

DOCS = Path(__file__).parents[1] / "docs"
PAGES = "\n".join(
    p.read_text(encoding="utf-8") for p in sorted((DOCS / "api").glob("*.md"))
)
#: Each documented module, and what of it is, where not all.
DOCUMENTED = dict(re.findall(r"automodule:: ([\w.]+)\n   :members:(.*)", PAGES))
SPACES = [
    "",
    ".autograd",
    ".autograd.functional",
    ".fft",
    ".linalg",
    ".nn",
    ".nn.functional",
    ".nn.init",
    ".nn.utils",
    ".optim",
    ".optim.lr_scheduler",
    ".optim.swa_utils",
    ".signal.windows",
    ".special",
    ".train",
]
if find_spec("sklearn"):
    from dotori.learn import MODULES

    SPACES += [f".learn.{module}" for module in MODULES]
#: For those who write operations, and those who know what they do.
INNER = set(
    "Node Variable apply as_variable backward binary leaf note_change observe start_gradient "
    "unary unbroadcast use_tensor_class wrap import_module".split()
)


def public(space):
    module = import_module("dotori" + space)
    names = set(getattr(module, "__all__", ()) or dir(module))
    if not space:
        names |= set(_lazy.FUNCTIONS)
    if not find_spec("sklearn"):  # the module says so when it is asked for
        names.discard("learn")
    for name in sorted(names - INNER):
        if not name.startswith("_"):
            yield name, getattr(module, name)


def is_documented(name, found, space):
    home = found.__module__ or ""
    family = _lazy.FUNCTIONS.get(name, "")
    for module in (home, "dotori" + space, family):
        if module in DOCUMENTED:
            chosen = [n.strip() for n in DOCUMENTED[module].split(",") if n.strip()]
            if not chosen or name in chosen:
                return True
    return False


@pytest.mark.parametrize("space", SPACES)
def test_every_public_function_is_in_the_reference(space):
    missing = [
        name
        for name, found in public(space)
        if (inspect.isclass(found) or inspect.isroutine(found))
        and (found.__module__ or "").startswith("dotori")
        and not is_documented(name, found, space)
    ]
    assert not missing, f"not in docs/api: {missing}"


def test_documented_modules_are_there():
    for name, members in DOCUMENTED.items():
        if name.startswith("dotori.learn") and not find_spec("sklearn"):
            continue
        module = import_module(name)
        for member in members.split(","):
            assert not member.strip() or hasattr(module, member.strip())


@pytest.mark.parametrize("folder", [".", "guide", "api"])
def test_every_page_is_in_a_table_of_contents(folder):
    index = (DOCS / folder / "index.md").read_text(encoding="utf-8")
    pages = {p.stem for p in (DOCS / folder).glob("*.md")} - {"index"}
    listed = {line.strip() for line in index.splitlines()}
    assert pages <= listed


def test_a_missing_function_would_be_seen():
    def stranger():
        pass

    stranger.__module__ = "dotori.functions.nowhere"
    assert not is_documented("stranger", stranger, "")
    assert is_documented("exp", dotori.exp, "")
