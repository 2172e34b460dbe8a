"""The table of lazy families, its files, and the stub for type checkers agree."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import dotori
from dotori.functions import _lazy

STUB = Path(dotori.__file__).with_name("_later.pyi")


@pytest.mark.parametrize("family", sorted(_lazy._FAMILIES))
def test_the_table_names_what_the_file_offers(family):
    module = import_module(f"dotori.functions.{family}")
    functions = set(_lazy._FAMILIES[family].split())
    methods = set(_lazy._METHODS.get(family, "").split())
    offered = set(module.__all__)
    assert functions - offered == offered - functions - methods == set()
    for name in sorted(functions):
        assert getattr(dotori, name) is getattr(module, name)


def test_no_name_stands_in_two_families():
    names = " ".join(_lazy._FAMILIES.values()).split()
    assert len(names) == len(set(names))


def test_every_method_is_found():
    for name in _lazy.METHODS:
        assert callable(getattr(dotori.Tensor([1.0]), name)), name


def test_the_stub_names_every_method():
    (later,) = (
        node
        for node in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    named = {
        t.id
        for node in later.body
        if isinstance(node, ast.Assign)
        for t in node.targets
    }
    assert named == set(_lazy.METHODS)
