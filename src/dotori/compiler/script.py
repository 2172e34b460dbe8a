"""A model or a training step as a Python script that needs NumPy alone."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dotori.compiler.script_model import Function, model_function, shape_text
from dotori.compiler.script_text import script_text
from dotori.errors import ArgumentError, ShapeError
from dotori.io.atomic import FilePath, atomic_write

Array = np.ndarray[Any, Any]
Weights = Literal["npz", "safetensors"]

_MOST_LINES = 40


def export_script(
    model: Any,
    example_inputs: Any,
    path: FilePath,
    weights: Weights = "npz",
) -> tuple[Path, Path]:
    """Write a model as a stand-alone Python script, and its weights beside it.

    The script needs Python and NumPy, nothing else: not dotori. It is written to be
    read, with one line for each layer and each function's formula.

    Parameters
    ----------
    model : Module
    example_inputs : array, Tensor, or tuple of them
        What the model is called with. The number of rows is free in the script.
    path : str or PathLike
        The script, ``.py``; without that ending it is added.
    weights : {"npz", "safetensors"}
        The kind of file that the weights go to, with the script's name.

    Returns
    -------
    script, weights : Path
        The two files.

    Raises
    ------
    ArgumentError
        If the model does something that a script has no words for, or something else
        for another batch. Then nothing is written.
    OSError
        If a file cannot be written. The old ones, if any, are as they were.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import dotori
    >>> from dotori import nn
    >>> _ = dotori.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> script, _ = export_script(model, dotori.zeros(4, 3), folder / "small.py")
    >>> [line for line in script.read_text().splitlines() if "W[" in line]
    ['    x = linear(x, W["0.weight"], W["0.bias"])  # (n, 2)']
    """
    if weights not in ("npz", "safetensors"):
        raise ArgumentError(
            f"export_script: weights is 'npz' or 'safetensors', got {weights!r}"
        )
    inputs = _arrays(example_inputs)
    target = Path(path)
    if target.suffix != ".py":
        target = target.with_name(target.name + ".py")
    function = model_function(model, inputs)
    text = model_text(model, function, inputs, target.stem, weights)
    stored = target.with_suffix(f".{weights}")
    write_both(target, text, stored, function.weights)
    return target, stored


def model_text(
    model: Any, function: Function, inputs: Sequence[Array], name: str, weights: str
) -> str:
    """The whole script of a model."""
    parts = [
        load_text(weights, function.source),
        function.source,
        _main(function, inputs),
    ]
    return script_text(_docstring(model, function, name, weights), parts)


def load_text(weights: str, source: str) -> str:
    """The lines that read the weights, for code that calls them W."""
    file = f'Path(__file__).with_suffix(".{weights}")'
    read = "dict(np.load(FILE))" if weights == "npz" else "read_safetensors(FILE)"
    comment = "# The weights, by the names that they have in the network."
    text = f"{comment}\nFILE = {file}\nW = {read}"
    return f"{text}\n\n\n{_LAYER}" if "layer(" in source else text


_LAYER = '''def layer(name):
    """The weights of one layer, by their own names."""
    start = f"{name}."
    return {key.removeprefix(start): W[key] for key in W if key.startswith(start)}'''


def _docstring(model: Any, function: Function, name: str, weights: str) -> str:
    count = sum(w.size for w in function.weights.values())
    shapes = ", ".join(map(shape_text, function.input_shapes))
    drawn = repr(model).splitlines()
    structure = "\n".join(drawn) if len(drawn) <= _MOST_LINES else ""
    lines = [
        f"The network {name!r} in plain NumPy.",
        "",
        f"Its {count:,} weights lie in {name}.{weights}. Use it from Python,",
        "",
        f"    from {name} import predict",
        f"    y = predict(x)  # an array of shape {shapes}",
        "",
        "or from the command line, with arrays in .npy files or a table of numbers in",
        "a .csv file; without a file, it shows what it gives for random numbers:",
        "",
        f"    python {name}.py input.npy [output.npy]",
    ]
    if structure:
        lines += [
            "",
            "The layers:",
            "",
            *("    " + line for line in structure.split("\n")),
        ]
    return "\n".join(lines)


def _main(function: Function, inputs: Sequence[Array]) -> str:
    """What the script does when it is run."""
    count = len(inputs)
    demo = ", ".join(_demo(x) for x in inputs)
    given = "sys.argv[1:2]" if count == 1 else f"sys.argv[1:{count + 1}]"
    kinds = "".join(f", np.{x.dtype.name}" for x in inputs[:1])
    reads = f"inputs = [read_array(name{kinds}) for name in {given}]"
    saves = f"sys.argv[{count + 1}]"
    return f"""def main():
    {reads}
    if not inputs:
        rng = np.random.default_rng(0)
        inputs = [{demo}]
    y = predict(*inputs)
    if len(sys.argv) > {count + 1}:
        np.save({saves}, y)
    else:
        print(y)


if __name__ == "__main__":
    main()"""


def _demo(x: Array) -> str:
    """Random numbers of the shape and type of an input."""
    shape = tuple(int(n) for n in x.shape)
    if x.dtype.kind == "f":
        return f"rng.standard_normal({shape}).astype(np.{x.dtype.name})"
    high = max(2, int(x.max(initial=0)) + 1)
    return f"rng.integers({high}, size={shape})"


def write_both(
    script: Path, text: str, stored: Path, weights: Mapping[str, Array]
) -> None:
    """Both files, or neither."""
    with atomic_write(stored) as data, atomic_write(script) as source:
        source.write(text.encode())
        data.write(_packed(weights, stored.suffix))


def _packed(weights: Mapping[str, Array], suffix: str) -> bytes:
    arrays = {name: np.ascontiguousarray(a) for name, a in weights.items()}
    if suffix == ".safetensors":
        from dotori.io.safetensors import save

        return save(arrays)
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy's stub means its flags
    return file.getvalue()


def _arrays(example: Any) -> list[Array]:
    given = example if isinstance(example, (tuple, list)) else (example,)
    arrays = [np.asarray(getattr(x, "array", x)) for x in given]
    for x in arrays:
        if x.dtype.kind not in "fiub":
            raise ArgumentError(
                f"export_script: example inputs are arrays of numbers, got {x.dtype}"
            )
    if not arrays:
        raise ShapeError("export_script: at least one example input is wanted")
    return arrays
