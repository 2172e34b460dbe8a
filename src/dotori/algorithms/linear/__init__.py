"""Least squares, with and without penalties: from gradient descent to exact solvers."""
