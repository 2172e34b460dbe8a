"""The families of functions that are loaded when one of their names is first used.

`import dotori` loads what every network needs. The rest waits here under its names, so
that what is not used costs no time. A test holds this table against the files.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Under each file of `dotori.functions`: its names, all of them functions of `dotori`.
_FAMILIES = {
    # one definition under several names
    "aliases": "",
    # more arithmetic on each element
    "arithmetic": "",
    # special functions, which `dotori.special` has as well
    "special": "",
    # more reductions, and what runs along an axis
    "statistics": "",
    "cumulative": "",
    "sorting": "",
    "counting": "",
    "distance": "",
    # taking elements and putting them back
    "gathering": "",
    "scattering": "",
    "masking": "",
    # shape, parts, repetition
    "views": "",
    "diagonal": "",
    "repeating": "",
    "combining": "",
    # more products, and complex numbers
    "products": "",
    "complex": (
        "angle complex conj conj_physical imag is_complex is_conj is_neg isreal polar "
        "real resolve_conj resolve_neg sgn view_as_complex view_as_real"
    ),
    # random numbers
    "sampling": "",
}

#: Those of the names that are methods of `Tensor` as well.
_METHODS = {
    "aliases": "",
    "arithmetic": "",
    "special": "",
    "statistics": "",
    "cumulative": "",
    "sorting": "",
    "counting": "",
    "distance": "",
    "gathering": "",
    "scattering": "",
    "masking": "",
    "views": "",
    "diagonal": "",
    "repeating": "",
    "combining": "",
    "products": "",
    "complex": (
        "angle conj conj_physical is_complex is_conj is_neg isreal resolve_conj "
        "resolve_neg sgn"
    ),
    "sampling": "",
}


def _by_name(table: dict[str, str]) -> dict[str, str]:
    return {
        name: f"dotori.functions.{family}"
        for family, names in table.items()
        for name in names.split()
    }


FUNCTIONS = _by_name(_FAMILIES)
METHODS = _by_name(_METHODS)


def load(name: str, table: dict[str, str]) -> Any:
    """The function of this name; KeyError if the table does not have it."""
    return getattr(import_module(table[name]), name)


def load_all() -> None:
    """Load every family, so that NumPy's functions find all that dotori has."""
    for module in dict.fromkeys(FUNCTIONS.values()):
        import_module(module)
    import_module("dotori.linalg")
