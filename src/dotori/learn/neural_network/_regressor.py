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
    """A multilayer perceptron that predicts numbers, trained on the squared error.

    Parameters, defaults and results are those of scikit-learn's estimator: with equal
    weights at the start and ``shuffle=False`` it takes the same way, step for step.
    What scikit-learn leaves out follows after `max_fun`.

    Parameters
    ----------
    loss : str or function
        ``"squared_error"``, half the squared error; ``"poisson"``, half the Poisson
        deviance of exp(output), for y >= 0; ``"absolute_error"``; ``"huber"``; the name
        of a loss of `dotori.nn.functional`; or a function of outputs and targets, both
        (n, outputs), that gives a number for each sample.
    hidden_layer_sizes : int or sequence of int
        The units of each hidden layer; ``()`` for none.
    activation : str, function, module, or a list with one of these for each layer
        What hidden layers apply: "relu", "tanh", "logistic", "identity",
        another name from `dotori.nn` such as ``"gelu"``, or a function of tensors.
    solver : {"adam", "sgd", "lbfgs"}
        Adam or stochastic gradient descent on mini-batches, or L-BFGS on all rows.
    alpha : float
        Weight of the L2 penalty alpha / (2 n) sum W^2; n is the number of samples in
        the batch, or the sum of their weights. Intercepts are free.
    batch_size : int or "auto"
        Rows of a mini-batch; "auto" is 200, or all if there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"}
        For "sgd": the rate stays, falls with the samples seen as 1 / t^power_t, or is
        divided by five whenever training stands still, until it is below 1e-6.
    learning_rate_init : float
        The learning rate at the start.
    power_t : float
        The exponent of "invscaling".
    max_iter : int
        The most epochs, or iterations of "lbfgs".
    shuffle : bool
        Whether each epoch has an order of its own.
    random_state : None, int or RandomState
        Where weights, orders, dropout's masks and the validation split come from.
    tol : float
        What counts as progress of the loss, or of the validation score; for "lbfgs"
        how small the gradient is at the end.
    verbose : bool
        Print the loss of each epoch.
    warm_start : bool
        Whether `fit` goes on from the weights that there are.
    momentum, nesterovs_momentum
        Of "sgd".
    early_stopping : bool
        Hold rows back, stop when the score on them stands still, and keep the weights
        of the best epoch.
    validation_fraction : float
        The share of rows that is held back.
    beta_1, beta_2, epsilon : float
        Of "adam".
    n_iter_no_change : int
        For how many epochs there may be no progress.
    max_fun : int
        The most evaluations of the loss by "lbfgs".
    dropout : float or sequence of float
        The probability that a hidden unit is left out of a step.
    batch_norm : bool
        Whether hidden layers are normalised over the batch, before their activation.
    optimizer : str, class, function or (such, dict), optional
        Any of `dotori.optim` in place of `solver`: its name; its class; either with a
        dict of options; or a function from the parameters to an optimiser. A name or a
        class gets `learning_rate_init` as its rate, if the options have no "lr".
    schedule : str, class, function or (such, dict), optional
        Any of `dotori.optim.lr_scheduler`, stepped after every epoch.
    clip_norm : float, optional
        The longest gradient; longer ones are shortened.
    module : Module or function, optional
        Your own network, or ``module(n_features, n_outputs)`` that makes it, in place
        of the layers that the parameters above describe. It gives what comes before
        predictions, or their logarithms for Poisson.
    callbacks : sequence of dotori.train.Callback, optional
        They are told of each step and epoch. What they remember they keep for the
        next fit.

    Attributes
    ----------
    coefs_, intercepts_ : list of array
        Weights (fan_in, fan_out) and intercepts (fan_out,) of each layer.
    loss_, best_loss_ : float
        The loss of the last epoch, and the lowest of all.
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_, validation_loss_curve_ : list of float or None
        R^2 and loss on the validation rows after each epoch.
    best_validation_score_ : float or None
    n_iter_ : int
        How many epochs, or iterations, there were.
    t_ : int
        How many samples were seen.
    n_features_in_, n_layers_, n_outputs_ : int
    out_activation_ : str
    network_ : dotori.nn.Module
        The network itself.
    state_ : dict of array
        What it holds besides: batch normalisation's, or all of your own module's.
    history_ : dict of list
        Loss, learning rate and what was watched, for each epoch.

    See Also
    --------
    MLPClassifier

    References
    ----------
    Rumelhart, Hinton and Williams, "Learning representations by back-propagating
    errors", Nature 323 (1986); Kingma and Ba, "Adam: a method for stochastic
    optimization", ICLR 2015; Srivastava and others, "Dropout", Journal of Machine
    Learning Research 15 (2014).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 200)[:, np.newaxis]
    >>> y = np.sin(3 * X[:, 0])
    >>> model = MLPRegressor(solver="lbfgs", tol=1e-3, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.99
    True
    """

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
