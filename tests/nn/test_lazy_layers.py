"""The tables of lazy layers and their files agree."""

from importlib import import_module

import pytest

from dotori import nn
from dotori.nn import _lazy
from dotori.nn import functional as F

MODULES = [(nn, "dotori.nn", *row) for row in _lazy.MODULES.items()]
FUNCTIONS = [(F, "dotori.nn.functional", *row) for row in _lazy.FUNCTIONS.items()]


@pytest.mark.parametrize(
    ("package", "path", "family", "names"),
    MODULES + FUNCTIONS,
    ids=[f"{row[1]}.{row[2]}" for row in MODULES + FUNCTIONS],
)
def test_the_table_names_what_the_file_offers(package, path, family, names):
    module = import_module(f"{path}.{family}")
    assert set(names.split()) == set(module.__all__)
    for name in module.__all__:
        assert getattr(package, name) is getattr(module, name)
        assert name in dir(package)


def test_a_name_that_does_not_exist():
    for package in (nn, F):
        with pytest.raises(AttributeError, match="no attribute 'Conv7d'"):
            package.Conv7d  # noqa: B018
