"""Modules whose parameters are going to be given values anyway."""

from __future__ import annotations

from typing import Any, TypeVar

from dotori.nn.module import Module
from dotori.random import Generator, use_generator

__all__ = ["skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """A module whose parameters hold any numbers; the random stream stays as it is.

    Parameters
    ----------
    module_cls : type
        The class of the module.
    *args, **kwargs
        What it is made with.

    Examples
    --------
    >>> import dotori
    >>> from dotori import nn
    >>> _ = dotori.manual_seed(0)
    >>> before = dotori.get_rng_state()
    >>> layer = skip_init(nn.Linear, 3, 2)
    >>> dotori.get_rng_state() == before
    True
    """
    with use_generator(Generator(0)):
        return module_cls(*args, **kwargs)
