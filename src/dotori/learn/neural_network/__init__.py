"""Neural networks as estimators: scikit-learn's, and what it leaves to others."""

from dotori.learn.neural_network._classifier import MLPClassifier as MLPClassifier
from dotori.learn.neural_network._regressor import MLPRegressor as MLPRegressor
