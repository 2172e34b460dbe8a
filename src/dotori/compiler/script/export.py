"""`export_script`: a model or a training step as a script that needs NumPy alone."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dotori.autograd import no_grad
from dotori.compiler.model import CompiledModel
from dotori.compiler.script.model import Function, model_function, shape_text
from dotori.compiler.script.step import Step, step_function
from dotori.compiler.script.step_text import step_text, stored_arrays
from dotori.compiler.script.text import demo_text, load_text, script_text
from dotori.compiler.step import Compiled
from dotori.errors import ArgumentError, DotoriError, ShapeError
from dotori.io.atomic import FilePath, atomic_write
from dotori.nn.module import Module

Array = np.ndarray[Any, Any]
Weights = Literal["npz", "safetensors"]

_MOST_LINES = 40


def export_script(
    model_or_step: Any,
    example_inputs: Any,
    path: FilePath,
    weights: Weights = "npz",
) -> tuple[Path, Path]:
    """Write a model or a training step as a stand-alone script, its weights beside it.

    The script needs Python and NumPy, nothing else: not dotori. It is written to be
    read. A model becomes ``predict``, with a line for each layer; a training step
    becomes ``train_step``: forward, the gradient of each value, and the optimiser's
    update as its paper has it, all from the weights as they are now.

    Parameters
    ----------
    model_or_step : Module, or callable
        The result of `dotori.compile` will do as well. A step is captured for this,
        without changing anything.
    example_inputs : array, Tensor, or tuple of them
        What it is called with. The number of rows is free in a model's script, unless
        the model has it fixed, as a step does.
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
        If it does something that a script has no words for. Then nothing is written.
    CaptureError
        If a step cannot be captured.
    OSError
        If a file cannot be written. The old ones, if any, are as they were.

    Notes
    -----
    Random numbers, such as dropout's, are NumPy's in the script. A schedule is not part
    of it: give ``train_step`` its ``lr``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import dotori
    >>> from dotori import nn
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
    found = model_or_step
    if isinstance(found, CompiledModel):
        found = found.model
    if isinstance(found, Module):
        function = _model(found, example_inputs, inputs)
        text = model_text(found, function, inputs, target.stem, weights)
        arrays = function.weights
    else:
        step = _step(found, example_inputs, inputs)
        text, arrays = step_text(step, target.stem, weights), stored_arrays(step)
    stored = target.with_suffix(f".{weights}")
    write_both(target, text, stored, arrays)
    return target, stored


def _model(model: Module, example: Any, inputs: list[Array]) -> Function:
    """By its layers; where words for one are missing, by its captured instructions."""
    try:
        return model_function(model, inputs)
    except ArgumentError as error:
        args = example if isinstance(example, tuple) else (example,)
        modes = [(module, module.training) for module in model.modules()]
        try:
            with no_grad():
                step = step_function(model.eval(), args, inputs, "predict")
        except DotoriError:
            raise error from None
        finally:
            for module, mode in modes:
                object.__setattr__(module, "training", mode)
    shapes = [x.shape for x in inputs]
    return Function(step.source, step.weights, step.arguments, shapes, [])


def _step(function: Any, example: Any, inputs: list[Array]) -> Step:
    if not callable(function):
        raise ArgumentError(
            "export_script: a model or a function that makes a training step was "
            f"wanted, got {type(function).__name__}"
        )
    args = example if isinstance(example, tuple) else (example,)
    plain = function.function if isinstance(function, Compiled) else function
    return step_function(plain, args, inputs)


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
    demo = ", ".join(demo_text(x) for x in inputs)
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
