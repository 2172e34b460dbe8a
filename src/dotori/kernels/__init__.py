"""Kernels: the loops of the textbook, beside the NumPy code that they agree with."""
