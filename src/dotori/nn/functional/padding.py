"""Padding, which is a function of `dotori` itself."""

from dotori.functions.padding import pad

__all__ = ["pad"]
