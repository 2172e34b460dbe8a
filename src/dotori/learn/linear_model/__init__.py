"""Linear models, under scikit-learn's names."""

from dotori.learn.linear_model._coordinate_descent import ElasticNet as ElasticNet
from dotori.learn.linear_model._coordinate_descent import Lasso as Lasso
from dotori.learn.linear_model._least_squares import (
    LinearRegression as LinearRegression,
)
from dotori.learn.linear_model._logistic import (
    LogisticRegression as LogisticRegression,
)
from dotori.learn.linear_model._path import enet_path as enet_path
from dotori.learn.linear_model._path import lasso_path as lasso_path
from dotori.learn.linear_model._ridge import Ridge as Ridge
from dotori.learn.linear_model._sgd import SGDClassifier as SGDClassifier
from dotori.learn.linear_model._sgd_regressor import SGDRegressor as SGDRegressor
