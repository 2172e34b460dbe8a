"""`MLPRegressor`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from dotori.errors import ArgumentError
from dotori.learn._callbacks import with_callbacks
from dotori.learn.neural_network._base import MultilayerPerceptron
from dotori.learn.neural_network._losses import Loss, activate, regression_loss

Array = NDArray[Any]


class MLPRegressor(RegressorMixin, MultilayerPerceptron):
    """DOC"""

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        optimizer: Any = None,
        schedule: Any = None,
        clip_norm: float | None = None,
        module: Any = None,
        callbacks: Any = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.optimizer = optimizer
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.module = module
        self.callbacks = callbacks

    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None
    ) -> MLPRegressor:
        """Train the network from new weights, or with `warm_start` from those it has.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_samples, n_features)
        y : array, shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array, shape (n_samples,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            Rows to watch: their loss and R^2 after each epoch stand in
            `validation_loss_curve_` and `validation_scores_`, and `early_stopping` goes
            by them and holds back no rows of X.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        self._fit(X, y, sample_weight, False, validation_data)
        return self

    @available_if(lambda self: self._check_solver())
    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch on these rows.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        MLPRegressor
            Itself.
        """
        self._fit(X, y, sample_weight, True)
        return self

    # ------------------------------------------------------------ targets

    def _validated(self, X: Any, y: Any, incremental: bool, first: bool) -> Any:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=first,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if not first and outputs != self.n_outputs_:
            raise ArgumentError(
                f"{type(self).__name__}: y has {outputs} outputs, but there were "
                f"{self.n_outputs_} before"
            )
        self.n_outputs_ = outputs
        if isinstance(self.loss, str) and self.loss == "poisson" and np.any(y < 0):
            raise ArgumentError(
                f"{type(self).__name__}: loss='poisson' needs y >= 0, the least value "
                f"is {np.min(y):g}"
            )
        return X.tocsr() if hasattr(X, "tocsr") else X, y

    def _validated_later(self, X: Any, y: Any) -> Any:
        return self._validated(X, y, False, False)

    def _encoded(self, y: Any, dtype: Any) -> Array:
        """Targets (n, outputs)."""
        rows = np.asarray(y).astype(dtype, copy=False)
        return rows[:, np.newaxis] if rows.ndim == 1 else rows

    def _make_loss(self) -> Loss:
        return regression_loss(type(self).__name__, self.loss)

    def _score_of(self, z: Array, target: Array, weight: Any) -> float:
        from sklearn.metrics import r2_score

        p = activate(self.out_activation_, z.copy())
        return float(r2_score(target, p, sample_weight=weight))

    # ------------------------------------------------------------ predictions

    def predict(self, X: Any) -> Array:
        """The expected target of each row.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_outputs)
        """
        z = self._predicted(X)
        p = activate(self.out_activation_, z)
        found: Array = p[:, 0] if self.n_outputs_ == 1 else p
        return found
