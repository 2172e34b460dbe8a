"""Nearest neighbours: searches, and what their labels or values predict."""

from dotori.learn.neighbors.classification import (
    KNeighborsClassifier as KNeighborsClassifier,
)
from dotori.learn.neighbors.regression import (
    KNeighborsRegressor as KNeighborsRegressor,
)
from dotori.learn.neighbors.unsupervised import NearestNeighbors as NearestNeighbors
