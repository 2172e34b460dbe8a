"""Every exception of the library, and the one way to import an optional package.

A message names the place, what was wanted, what was given, and what to do:
"Linear(13, 64) was given x of shape (32, 12): its last axis must be 13".
"""

from __future__ import annotations

import importlib
from types import ModuleType


class DotoriError(Exception):
    """The parent of all exceptions that dotori raises on purpose."""


class ShapeError(DotoriError, ValueError):
    """An array has the wrong shape, axis or number of elements."""


class AxisError(ShapeError, IndexError):
    """An axis or an index lies outside of the array."""


class DTypeError(DotoriError, TypeError):
    """An array or argument has the wrong type."""


class ArgumentError(DotoriError, ValueError):
    """An argument has a value outside of what is allowed."""


class LinAlgError(ArgumentError, RuntimeError):
    """A matrix is singular, not positive definite, or an iteration does not end."""


class CaptureError(DotoriError, RuntimeError):
    """A step does what a captured step cannot, such as a branch on a tensor's value."""


class GradientError(DotoriError, RuntimeError):
    """The graph cannot give the gradient that was asked for."""


class DataError(DotoriError, ValueError):
    """A table or data set cannot be used as it is."""


class FormatError(DotoriError, ValueError):
    """A file is truncated, damaged, hostile or of another kind."""


class NonFiniteError(DotoriError, ArithmeticError):
    """NaN or infinity appeared where finite numbers are needed."""


class WorkerError(DotoriError, RuntimeError):
    """A worker of a DataLoader died, took too long, or could not be started."""


class MissingDependencyError(DotoriError, ImportError):
    """An optional package is not installed."""


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or say which command installs it.

    Parameters
    ----------
    module : str
        The name to import, such as ``"pyarrow.csv"``.
    extra : str
        The extra of dotori that brings it, such as ``"cli"``.
    purpose : str
        What it is wanted for, such as ``"reading CSV files"``.

    Raises
    ------
    MissingDependencyError
        If the package cannot be imported.

    Examples
    --------
    >>> need("json", "cli", "reading JSON").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{purpose} needs the package {module.partition('.')[0]!r}, which is "
            f'not installed; install it with: pip install "dotori[{extra}]"'
        ) from error
