"""What `MLPClassifier` and `MLPRegressor` share: from rows to a trained network.

parameters -> network, loss, optimiser      `_network`, `_losses`, `_optimizers`
epochs of captured steps                    `_training`, dotori's `Trainer`
the end of each epoch                       `_stopping`
the whole-data solver                       `_lbfgs`
attributes, predictions, files              `_fitted`
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import _check_sample_weight

from dotori.autograd import no_grad, wrap
from dotori.errors import ArgumentError
from dotori.learn._random import generator
from dotori.learn.neural_network import _network, _stopping
from dotori.learn.neural_network._data import Batches, rows_of_block
from dotori.learn.neural_network._fitted import FittedNetwork
from dotori.learn.neural_network._lbfgs import WholeLoss, minimise
from dotori.learn.neural_network._losses import Loss
from dotori.learn.neural_network._optimizers import (
    Rate,
    build_optimizer,
    build_schedule,
)
from dotori.learn.neural_network._options import check_options
from dotori.learn.neural_network._sparse import is_thin
from dotori.learn.neural_network._training import WORTH_CAPTURING, MLPTrainer
from dotori.random import Generator, use_generator

Array = NDArray[Any]

_WEIGHTS, _ORDER, _SPLIT, _MASKS = range(1, 5)  # streams of random numbers


class MultilayerPerceptron(FittedNetwork):
    """The parent of both estimators; not to be used by itself.

    A subclass says what targets are (`_encoded`), which loss there is (`_make_loss`),
    and how good outputs are (`_score_of`).
    """

    # ------------------------------------------------------------ the subclass's part

    def _validated(self, X: Any, y: Any, incremental: bool, first: bool) -> Any:
        raise NotImplementedError

    def _encoded(self, y: Any, dtype: Any) -> Array:
        raise NotImplementedError

    def _make_loss(self) -> Loss:
        raise NotImplementedError

    def _score_of(self, z: Array, target: Array, weight: Any) -> float:
        raise NotImplementedError

    def _row_weights(self, y: Any, weight: Any, X: Any, incremental: bool) -> Any:
        if weight is None:
            return None
        return _check_sample_weight(weight, X, dtype=X.dtype)

    def _total(self, weight: Array) -> float:
        """The sum of all weights, which must be more than nothing."""
        total = float(weight.sum())
        if not total > 0:
            raise ArgumentError(
                f"{type(self).__name__}: the weights of samples and classes sum to "
                f"{total:g}; at least one sample must count"
            )
        return total

    # ------------------------------------------------------------ fitting

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        incremental: bool,
        validation_data: Any = None,
    ) -> Any:
        check_options(self)
        whole = self._is_whole()
        if incremental and self.early_stopping:
            raise ArgumentError(
                f"{type(self).__name__}: partial_fit does not support "
                "early_stopping=True, as it does not know which epoch is the last"
            )
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = self._validated(X, y, incremental, first)
        weight = self._row_weights(y, sample_weight, X, incremental)
        total = X.shape[0] if weight is None else self._total(weight)
        target = self._encoded(y, X.dtype)
        valid = self._checked_validation(validation_data, X.dtype)
        stream = generator(self.random_state)
        seen = 0 if first else self.t_  # other masks in each epoch of partial_fit
        with use_generator(stream.derive(_MASKS, seen)):
            loss = self._make_loss()
            self._prepare(X, stream, loss, first, valid is not None)
            if whole:
                self._fit_whole(X, target, weight, loss, float(total))
            else:
                data = X, target, weight
                self._fit_batches(data, valid, loss, stream, incremental)
        self._finish()
        return self

    def _is_whole(self) -> bool:
        return bool(self.solver == "lbfgs" and self.optimizer is None)

    def _prepare(
        self, X: Any, stream: Generator, loss: Loss, first: bool, watched: bool
    ) -> None:
        """The network, new or with the weights that it has."""
        self.out_activation_ = loss.output
        if not first:
            network = self.network_
            network.train()
            if not self._is_whole() and not hasattr(self, "loss_curve_"):
                _stopping.begin(self, watched or self.early_stopping)
            if watched and self.validation_loss_curve_ is None:
                self.validation_loss_curve_, self.validation_scores_ = [], []
            return
        self.__dict__.pop("_network", None)
        self.__dict__.pop("_trainer", None)
        # L-BFGS measures differences of losses that float32 cannot tell apart
        dtype = np.dtype(np.float64) if self._is_whole() else X.dtype
        with use_generator(stream.derive(_WEIGHTS)):
            self._network = self._build(X.shape[1], dtype)
        if self.module is None:
            _network.initialise(self._network, self.activation, stream.derive(_WEIGHTS))
        else:
            self._outputs(X[:2])  # an error if it gives other shapes
        self._take_coefficients()
        self.n_layers_ = len(_network.weights_of(self._network)) + 1
        _stopping.begin(self, watched or self.early_stopping)
        if self._is_whole():
            for name in ("loss_curve_", "validation_scores_", "best_loss_"):
                delattr(self, name)
            del self.validation_loss_curve_, self.best_validation_score_

    def _fit_whole(
        self, X: Any, target: Array, weight: Any, loss: Loss, total: float
    ) -> None:
        """L-BFGS over all rows."""
        n, network, double = X.shape[0], self._network.train(), np.dtype(np.float64)
        thin = self.module is None and is_thin(X, network)
        size = min(n, rows_of_block(X.shape[1], self._widest(), thin))
        if size == n and isinstance(X, np.ndarray):
            X = X.astype(double, copy=False)
        classes = self.n_outputs_ if loss.one_hot else 0
        data = Batches(
            (X, target, weight), size, classes=classes, dtype=double, thin=thin
        )
        enough = not thin and self.max_iter * len(data) >= WORTH_CAPTURING
        objective = WholeLoss(network, loss, float(self.alpha), data, total, enough)
        losses: list[float] = []
        with self._tasks("iteration", X, target, most=int(self.max_iter)) as tasks:

            def after(value: float) -> bool:
                losses.append(value)
                if self.verbose:
                    _stopping.say(f"Iteration {len(losses)}, loss = {value:.8f}")
                tasks.begin()
                return tasks.end(self._attributes)

            minimise(self, objective, after)
        self.history_ = {"loss": losses}

    def _fit_batches(
        self,
        data: tuple[Any, ...],
        valid: Any,
        loss: Loss,
        stream: Generator,
        incremental: bool,
    ) -> None:
        """Epochs of mini-batches."""
        X, target, weight = data
        rows = None
        if self.early_stopping and valid is None:
            rows, held = self._split(X, target, stream)
            valid = X[held], target[held], None if weight is None else weight[held]
        n = X.shape[0] if rows is None else len(rows)
        batches = Batches(
            (X, target, weight),
            self._batch_rows(n),
            stream.derive(_ORDER, self.t_) if self.shuffle else None,
            self.n_outputs_ if loss.one_hot else 0,
            rows,
            least=2 if self.batch_norm else 1,
            thin=self.module is None and is_thin(X, self._network),
        )
        trainer = self._begin_training(loss, incremental)
        epochs = 1 if incremental else int(self.max_iter)
        least = epochs if incremental else min(epochs, self.n_iter_no_change + 2)
        trainer.expect(int(least), epochs, len(batches))
        if valid is not None:
            trainer.check = lambda: self._check(loss, *valid)
        rate = Rate(self._rate_kind(), float(self.learning_rate_init), self.power_t)
        stopping = _stopping.Stopping(self, n, rate, incremental)
        self.n_iter_ = 0
        try:
            self._run(trainer, stopping, batches, epochs, valid is not None)
        except KeyboardInterrupt:
            trainer.interrupted = True
        finally:
            trainer.release()
        if trainer.interrupted:
            warnings.warn("Training interrupted by user.", stacklevel=3)
        if stopping.best:
            self._network.load_state_dict(stopping.best)

    def _run(
        self,
        trainer: MLPTrainer,
        stopping: _stopping.Stopping,
        batches: Batches,
        epochs: int,
        watched: bool,
    ) -> None:
        """The trainer's epochs, heard by the callbacks of dotori and scikit-learn."""
        X, target = batches.parts[:2]
        with self._tasks("epoch", X, target, most=epochs) as tasks:
            own: list[Any] = [stopping]
            if tasks.listened:
                own.append(_stopping.Reporting(tasks, self._attributes))
            trainer.callbacks = sorted(
                [*own, *(self.callbacks or ())], key=lambda callback: callback.order
            )
            valid = () if watched else None
            trainer.fit(batches, valid, epochs=trainer.epoch + epochs)

    def _begin_training(self, loss: Loss, incremental: bool) -> MLPTrainer:
        """The trainer that goes on with `partial_fit`, or a new one."""
        known = vars(self).get("_trainer")
        if incremental and known is not None:
            trainer: MLPTrainer = known
            return trainer
        owner = type(self).__name__
        optimizer = build_optimizer(owner, self, self._network)
        moments = self.__dict__.pop("_moments", None)
        if incremental and moments is not None:
            optimizer.load_state_dict(moments)
        trainer = MLPTrainer(
            self._network,
            loss,
            optimizer,
            alpha=float(self.alpha),
            clip_norm=self.clip_norm,
            schedule=build_schedule(owner, self.schedule, optimizer),
        )
        self._trainer = trainer
        return trainer

    def _rate_kind(self) -> str:
        """What becomes of the rate: only scikit-learn's SGD changes it by itself."""
        own = self.solver == "sgd" and self.optimizer is None
        return str(self.learning_rate) if own else "constant"

    def _batch_rows(self, n: int) -> int:
        """The rows of a batch."""
        if isinstance(self.batch_size, str):
            return min(200, n)
        if self.batch_size > n:
            warnings.warn(
                f"{type(self).__name__}: batch_size={self.batch_size} is more than the "
                f"{n} samples; all of them are one batch",
                stacklevel=5,
            )
        return min(int(self.batch_size), n)

    def _split(self, X: Any, target: Array, stream: Generator) -> tuple[Array, Array]:
        """The numbers of the rows to train on, and of those that are held back."""
        from sklearn.model_selection import train_test_split

        rows, held = train_test_split(
            np.arange(X.shape[0]),
            test_size=self.validation_fraction,
            stratify=self._strata(target),
            random_state=int(stream.derive(_SPLIT).integers(0, 2**31)),
        )
        if len(held) < 2:
            raise ArgumentError(
                f"{type(self).__name__}: The validation set is too small, {len(held)} "
                "sample(s). Increase validation_fraction, or give more data"
            )
        return rows, held

    def _strata(self, target: Array) -> Array | None:
        return None

    # ------------------------------------------------------------ validation

    def _checked_validation(self, given: Any, dtype: Any) -> Any:
        """``(X, y)`` or ``(X, y, sample_weight)`` as the training has them, or None."""
        if given is None:
            return None
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise ArgumentError(
                f"{type(self).__name__}: validation_data must be (X, y) or "
                f"(X, y, sample_weight), got {type(given).__name__}"
            )
        if self._is_whole():
            raise ArgumentError(
                f"{type(self).__name__}: validation_data is looked at after each epoch "
                "of solver='adam' or 'sgd'; 'lbfgs' has none"
            )
        X, y, *rest = given
        X, y = self._validated_later(X, y)
        weight = _check_sample_weight(rest[0], X, dtype=dtype) if rest else None
        return X, self._encoded(y, dtype), weight

    def _validated_later(self, X: Any, y: Any) -> Any:
        """Rows and targets that must fit those of the training."""
        raise NotImplementedError

    def _check(self, loss: Loss, X: Any, target: Array, weight: Any) -> dict[str, Any]:
        """Loss, without the penalty, and score of validation rows."""
        z = self._outputs(X)
        known = target
        if loss.one_hot:
            known = np.eye(self.n_outputs_, dtype=z.dtype)[target]
        given = None if weight is None else wrap(weight.astype(z.dtype))
        with no_grad():
            _, shown = loss(wrap(z), wrap(known), given)
        score = float("nan")
        if np.isfinite(z).all():
            score = float(self._score_of(z, target, weight))
        return {"loss": float(shown.array), "score": score}

    def _finish(self) -> None:
        """The fitted attributes, after a look at whether they are numbers."""
        self._network.eval()
        self._take_coefficients()
        for array in (*self.coefs_, *self.intercepts_, *self.state_.values()):
            if not np.isfinite(array).all():
                raise ArgumentError(
                    f"{type(self).__name__}: Solver produced non-finite parameter "
                    "weights. The input data may contain large values and need to be "
                    "preprocessed: scale the columns of X, or lower learning_rate_init"
                )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _check_solver(self) -> bool:
        if self._is_whole():
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. "
                f"{self.solver} is not stochastic."
            )
        return True
