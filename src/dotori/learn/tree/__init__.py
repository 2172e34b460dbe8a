"""Decision trees as estimators."""

from dotori.learn.tree._classes import DecisionTreeClassifier as DecisionTreeClassifier
from dotori.learn.tree._classes import DecisionTreeRegressor as DecisionTreeRegressor
from dotori.learn.tree._classes import ExtraTreeClassifier as ExtraTreeClassifier
from dotori.learn.tree._classes import ExtraTreeRegressor as ExtraTreeRegressor
