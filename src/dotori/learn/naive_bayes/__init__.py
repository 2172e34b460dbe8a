"""Estimators of this family, under scikit-learn's names."""
