"""The classical algorithms as scikit-learn estimators: its names, parameters, defaults.

What scikit-learn has around estimators (pipelines, searches, splits, metrics) works on
these unchanged. Modules have scikit-learn's names too, so that an import changes from
``from sklearn.cluster import KMeans`` to ``from dotori.learn.cluster import KMeans``,
and nothing else does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dotori.errors import need

need("sklearn.base", "learn", "dotori.learn")

from dotori.learn._files import load as load

if TYPE_CHECKING:
    from dotori.learn.cluster import *
    from dotori.learn.decomposition import *
    from dotori.learn.ensemble import *
    from dotori.learn.impute import *
    from dotori.learn.linear_model import *
    from dotori.learn.naive_bayes import *
    from dotori.learn.neighbors import *
    from dotori.learn.neural_network import *
    from dotori.learn.preprocessing import *
    from dotori.learn.tree import *

#: The estimators of each module; a module is loaded when one of its names is used.
MODULES = {
    "cluster": "KMeans MiniBatchKMeans",
    "decomposition": "PCA TruncatedSVD",
    "ensemble": (
        "ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier "
        "RandomForestRegressor"
    ),
    "impute": "MissingIndicator SimpleImputer",
    "linear_model": (
        "ElasticNet Lasso LinearRegression LogisticRegression Ridge SGDClassifier "
        "SGDRegressor"
    ),
    "naive_bayes": "GaussianNB MultinomialNB",
    "neighbors": "KNeighborsClassifier KNeighborsRegressor NearestNeighbors",
    "neural_network": "MLPClassifier MLPRegressor",
    "preprocessing": (
        "MaxAbsScaler MinMaxScaler Normalizer OneHotEncoder OrdinalEncoder "
        "RobustScaler StandardScaler"
    ),
    "tree": (
        "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier "
        "ExtraTreeRegressor"
    ),
}
ESTIMATORS = {name: m for m, names in MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return import_module(f"dotori.learn.{name}")
    if name in ESTIMATORS:
        return getattr(import_module(f"dotori.learn.{ESTIMATORS[name]}"), name)
    raise AttributeError(f"module 'dotori.learn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES, *ESTIMATORS})
