"""Logistic regression: the model, its loss, and the ways to its minimum."""
