"""`MLPClassifier`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import _check_sample_weight, validate_data

from dotori.errors import ArgumentError
from dotori.learn._callbacks import with_callbacks
from dotori.learn.neural_network._base import MultilayerPerceptron
from dotori.learn.neural_network._losses import Loss, activate, classification_loss

Array = NDArray[Any]


class MLPClassifier(ClassifierMixin, MultilayerPerceptron):
    """A multilayer perceptron that tells classes apart, trained on the log-loss.

    Parameters, defaults and results are those of scikit-learn's estimator: with equal
    weights at the start and ``shuffle=False`` it takes the same way, step for step.
    What scikit-learn leaves out follows after `max_fun`.

    Parameters
    ----------
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
    loss : str or function
        ``"log_loss"``, the name of a loss of `dotori.nn.functional`, or a function of
        outputs (before softmax) and targets that gives a number for each sample.
        Targets are class numbers, or of shape (n, outputs) with 0 and 1 for two classes
        and for labels.
    class_weight : dict or "balanced", optional
        What a class counts; "balanced": n / (n_classes * rows of the class).
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
        softmax or the logistic function.
    callbacks : sequence of dotori.train.Callback, optional
        They are told of each step and epoch. What they remember they keep for the
        next fit.

    Attributes
    ----------
    classes_ : array, shape (n_classes,)
    coefs_, intercepts_ : list of array
        Weights (fan_in, fan_out) and intercepts (fan_out,) of each layer.
    loss_, best_loss_ : float
        The loss of the last epoch, and the lowest of all.
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_, validation_loss_curve_ : list of float or None
        Accuracy and loss on the validation rows after each epoch.
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
    MLPRegressor

    References
    ----------
    Rumelhart, Hinton and Williams, "Learning representations by back-propagating
    errors", Nature 323 (1986); Kingma and Ba, "Adam: a method for stochastic
    optimization", ICLR 2015; Srivastava and others, "Dropout", Journal of Machine
    Learning Research 15 (2014).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16, 16), activation=["relu", "tanh"], dropout=[0.1, 0])
    >>> model = model.set_params(learning_rate_init=0.01, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.95
    True
    >>> model.predict_proba(X[:1]).round(1)
    array([[1., 0., 0.]])
    """

    def __init__(
        self,
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
        loss: Any = "log_loss",
        class_weight: Any = None,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        optimizer: Any = None,
        schedule: Any = None,
        clip_norm: float | None = None,
        module: Any = None,
        callbacks: Any = None,
    ) -> None:
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
        self.loss = loss
        self.class_weight = class_weight
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
    ) -> MLPClassifier:
        """Train the network from new weights, or with `warm_start` from those it has.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_samples, n_features)
        y : array, shape (n_samples,) or (n_samples, n_labels)
            Classes, or a 0 or 1 for each label.
        sample_weight : array, shape (n_samples,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            Rows to watch: their loss and accuracy after each epoch stand in
            `validation_loss_curve_` and `validation_scores_`, and `early_stopping` goes
            by them and holds back no rows of X.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        self._fit(X, y, sample_weight, False, validation_data)
        return self

    @available_if(lambda self: self._check_solver())
    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Train for one epoch on these rows.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array, shape (n_classes,)
            All classes that will come; wanted by the first call.

        Returns
        -------
        MLPClassifier
            Itself.
        """
        if _check_partial_fit_first_call(self, classes):
            if type_of_target(y).startswith("multilabel"):
                self._kind, self.classes_ = "multilabel", np.arange(y.shape[1])
            else:
                self._kind = _kind_of(self.classes_)
        self._fit(X, y, sample_weight, True)
        return self

    # ------------------------------------------------------------ targets

    def _validated(self, X: Any, y: Any, incremental: bool, first: bool) -> Any:
        X, y = self._table(X, y, first)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._learn_classes(y)
            return X, y
        classes = unique_labels(y)
        if self.warm_start and set(classes) != set(self.classes_):
            raise ArgumentError(
                f"{type(self).__name__}: warm_start can only be used where `y` has the "
                "same classes as in the previous call to fit. Previously got "
                f"{self.classes_}, `y` has {classes}"
            )
        self._refuse_new(classes)
        return X, y

    def _table(self, X: Any, y: Any, reset: bool) -> Any:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X.tocsr() if hasattr(X, "tocsr") else X, y

    def _validated_later(self, X: Any, y: Any) -> Any:
        X, y = self._table(X, y, False)
        self._refuse_new(unique_labels(y))
        return X, y

    def _learn_classes(self, y: Any) -> None:
        """What kind of classes there are, and which."""
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ArgumentError(
                f"{type(self).__name__}: several columns of classes are not supported; "
                "give one column, or 0 and 1 for each label"
            )
        self.classes_ = unique_labels(y)
        multilabel = kind == "multilabel-indicator"
        self._kind = "multilabel" if multilabel else _kind_of(self.classes_)
        self._sparse_labels = hasattr(y, "toarray")

    def _refuse_new(self, classes: Any) -> None:
        if len(np.setdiff1d(classes, self.classes_)):
            raise ArgumentError(
                f"{type(self).__name__}: `y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _encoded(self, y: Any, dtype: Any) -> Array:
        """Class numbers (n,); for two classes or for labels, 0 and 1 (n, outputs)."""
        n_classes = len(self.classes_)
        if self._kind == "multilabel":
            self.n_outputs_ = n_classes
            rows = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
            labels: Array = (rows != 0).astype(dtype)
            return labels
        numbers: Array = np.searchsorted(self.classes_, y)
        if self._kind == "binary":
            self.n_outputs_ = 1
            numbers = (numbers == 1).astype(dtype)
            return numbers[:, np.newaxis]
        self.n_outputs_ = n_classes
        return numbers.astype(np.int64)

    def _row_weights(self, y: Any, weight: Any, X: Any, incremental: bool) -> Any:
        weight = super()._row_weights(y, weight, X, incremental)
        if self.class_weight is None:
            return weight
        from sklearn.utils.class_weight import compute_sample_weight

        if incremental and self.class_weight == "balanced":
            raise ArgumentError(
                f"{type(self).__name__}: class_weight='balanced' needs all rows at "
                "once, which partial_fit does not have; give a dict of weights"
            )
        by_class = compute_sample_weight(self.class_weight, y)
        whole = _check_sample_weight(by_class, X, dtype=X.dtype)
        return whole if weight is None else whole * weight

    def _make_loss(self) -> Loss:
        output = "softmax" if self._kind == "multiclass" else "logistic"
        return classification_loss(type(self).__name__, self.loss, output)

    def _strata(self, target: Array) -> Array | None:
        if self._kind == "multilabel":
            return None
        chosen: Array = self.classes_[target.reshape(-1).astype(int)]
        return chosen

    def _score_of(self, z: Array, target: Array, weight: Any) -> float:
        if self._kind == "multiclass":
            right = z.argmax(axis=1) == target
        else:
            right = ((z > 0) == (target > 0)).all(axis=1)
        return float(np.average(right, weights=weight))

    # ------------------------------------------------------------ predictions

    def predict(self, X: Any) -> Any:
        """The likeliest class of each row, or the labels likelier than not.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples,) or (n_samples, n_labels)
        """
        p = activate(self._output(), self._predicted(X))
        if self._kind == "multilabel":
            labels = (p > 0.5).astype(int)
            if getattr(self, "_sparse_labels", False):
                from scipy.sparse import csr_matrix

                return csr_matrix(labels)
            return labels
        if self._kind == "multiclass":
            return np.take(self.classes_, p.argmax(axis=1))
        chosen = (p[:, 0] > 0.5).astype(int)
        return self.classes_[chosen if len(self.classes_) > 1 else chosen * 0]

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes, or of each label.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        output, z = self._output(), self._predicted(X)
        # 1 / (1 + exp(z)) is 1 - p without its rounding
        return activate(output, z if self.n_outputs_ > 1 else np.hstack([-z, z]))

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of `predict_proba`.

        Parameters
        ----------
        X : array or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        array, shape (n_samples, n_classes)
        """
        p = self.predict_proba(X)
        return np.log(p, out=p)

    def _output(self) -> str:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        return str(self.out_activation_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _kind_of(classes: Any) -> str:
    return "binary" if len(classes) <= 2 else "multiclass"
