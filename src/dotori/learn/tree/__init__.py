"""Decision trees as estimators."""

from dotori.learn.tree._classes import DecisionTreeClassifier as DecisionTreeClassifier
from dotori.learn.tree._classes import DecisionTreeRegressor as DecisionTreeRegressor
from dotori.learn.tree._classes import ExtraTreeClassifier as ExtraTreeClassifier
from dotori.learn.tree._classes import ExtraTreeRegressor as ExtraTreeRegressor
from dotori.learn.tree._export import export_graphviz as export_graphviz
from dotori.learn.tree._export import export_text as export_text
from dotori.learn.tree._export import plot_tree as plot_tree
