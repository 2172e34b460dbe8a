"""Forests of decision trees as estimators."""

from dotori.learn.ensemble._forests import ExtraTreesClassifier as ExtraTreesClassifier
from dotori.learn.ensemble._forests import ExtraTreesRegressor as ExtraTreesRegressor
from dotori.learn.ensemble._forests import (
    RandomForestClassifier as RandomForestClassifier,
)
from dotori.learn.ensemble._forests import (
    RandomForestRegressor as RandomForestRegressor,
)
