"""``dotori export``: a model as a script that needs NumPy alone."""

from __future__ import annotations

import importlib
import keyword
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dotori.errors import ArgumentError, DataError, FormatError

if TYPE_CHECKING:
    from dotori.nn import Module

_FORMS = ("numpy",)


def export(
    model: Path,
    to: str,
    out: Path | None,
    weights: str,
    network: str | None,
    input: str | None,
    quiet: bool,
) -> None:
    """Write the script and its weights, both or neither."""
    if to not in _FORMS:
        raise ArgumentError(f"--to is {' or '.join(_FORMS)}, got {to!r}")
    if weights not in ("npz", "safetensors"):
        raise ArgumentError(f"--weights is npz or safetensors, got {weights!r}")
    if not model.exists():
        raise DataError(
            f"there is no model file {str(model)!r}; `dotori train` makes one"
        )
    target = _target(model, out)
    if target.with_suffix(f".{weights}").resolve() == model.resolve():
        raise ArgumentError(
            f"the script's weights would replace {str(model)!r}; choose another name "
            "with --out"
        )
    if network is None and input is None:
        script, stored = _export_table(model, target, weights)
    else:
        script, stored = _export_network(model, target, weights, network, input)
    if not quiet:
        sys.stderr.write(f"{script} written, with its weights in {stored.name}\n")


def _target(model: Path, out: Path | None) -> Path:
    """The script's name: given, or the model's in the folder that is given."""
    if out is not None and out.suffix == ".py" and not out.is_dir():
        target = out
    else:
        target = (out or Path()) / f"{_importable(model.stem)}.py"
    if not target.parent.is_dir():
        raise DataError(f"there is no folder {str(target.parent)!r}; create it")
    if target.exists() and not _is_ours(target):
        raise DataError(
            f"{str(target)!r} exists and is not a script of `dotori export`; choose "
            "another name with --out"
        )
    return target


def _importable(stem: str) -> str:
    """The nearest name that Python can import.

    Examples
    --------
    >>> _importable("3 homes-v2")
    '_3_homes_v2'
    """
    name = re.sub(r"\W", "_", stem) or "model"
    return f"_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


def _is_ours(path: Path) -> bool:
    """Whether the file says of itself that it is such a script."""
    try:
        with path.open(encoding="utf-8") as file:
            return "in plain NumPy." in file.readline(1000)
    except (OSError, UnicodeError):
        return False


def _export_table(model: Path, target: Path, weights: str) -> tuple[Path, Path]:
    from dotori.compiler.script.table import export_table_script
    from dotori.tabular.model import TableModel
    from dotori.tabular.predictors import LinearPredictor

    try:
        found = TableModel.load(model)
    except FormatError as error:
        if "plain safetensors" not in str(error) and "was wanted" not in str(error):
            raise
        raise FormatError(
            f"{model} holds weights, but not the network that they belong to; name it "
            "with --network package.file:name and its input with --input, such as "
            "--input 1,28,28"
        ) from error
    if isinstance(found.predictor, LinearPredictor):
        found.predictor = found.predictor.as_network(found.target)
    elif found.options.model != "mlp":
        raise ArgumentError(
            f"a script is written from a network, a linear or a logistic model; this "
            f"one is of the kind {found.options.model!r}: use `dotori predict`, which "
            "needs no scikit-learn"
        )
    return export_table_script(found, target, weights)


def _export_network(
    model: Path, target: Path, weights: str, network: str | None, input: str | None
) -> tuple[Path, Path]:
    from dotori.compiler.script import export_script
    from dotori.nn.weights import load_weights

    if network is None or input is None:
        raise ArgumentError("--network and --input are wanted together")
    shape = _shape(input)
    found = _network(network)
    load_weights(found, model)
    example = np.zeros((2, *shape), np.float32)
    return export_script(found, example, target, weights)  # type: ignore[arg-type]


def _shape(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(\s*,\s*\d+)*", text.strip()):
        raise ArgumentError(
            f"--input is the shape of one sample, such as 1,28,28, got {text!r}"
        )
    return tuple(int(n) for n in text.split(","))


def _network(place: str) -> Module:
    """What the user's own module makes under a name, or has there."""
    from dotori.nn import Module

    module, _, name = place.partition(":")
    if not module or not name:
        raise ArgumentError(
            f"--network is package.file:name, where the name makes the network, got "
            f"{place!r}"
        )
    sys.path.insert(0, "")  # the folder that one stands in
    try:
        found: Any = getattr(importlib.import_module(module), name)
        made = found if isinstance(found, Module) else found()
    except Exception as error:  # the user's code may fail in any way
        raise ArgumentError(
            f"--network {place}: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.path.remove("")
    if not isinstance(made, Module):
        raise ArgumentError(
            f"--network {place}: a Module was wanted, got {type(made).__name__}"
        )
    return made
