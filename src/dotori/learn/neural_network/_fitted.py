"""A fitted network as an estimator's attributes: shown, used, copied, put into files.

What was learned stands in `coefs_`, `intercepts_` and, for all else, in `state_`. The
network is made from these when it is needed, and after a fit they are views of its own
arrays; so what a user changes in either is changed in both.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from dotori import nn
from dotori.autograd import no_grad
from dotori.errors import ArgumentError
from dotori.learn._base import Estimator
from dotori.learn.neural_network import _network
from dotori.learn.neural_network._data import blocks
from dotori.learn.neural_network._sparse import forward, is_thin, taken
from dotori.random import Generator, use_generator

Array = NDArray[Any]


class FittedNetwork(Estimator):
    """The parent of the MLP estimators' parent: what does not concern fitting."""

    _unstored: ClassVar[tuple[str, ...]] = ("_network", "_trainer", "_moments")
    _network: Any
    _trainer: Any
    coefs_: list[Array]
    intercepts_: list[Array]
    state_: dict[str, Array]
    n_outputs_: int
    n_features_in_: int
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None
    module: Any
    callbacks: Any
    hidden_layer_sizes: Any
    activation: Any
    dropout: Any
    batch_norm: bool

    def _build(self, n_features: int, dtype: Any) -> nn.Module:
        """A network without weights of its own."""
        owner = type(self).__name__
        module = self.module
        if module is None:
            hidden = np.ravel(self.hidden_layer_sizes).astype(int).tolist()
            widths = [n_features, *hidden, self.n_outputs_]
            return _network.build(
                owner, widths, self.activation, self.dropout, self.batch_norm, dtype
            )
        if isinstance(module, nn.Module):
            made: Any = copy.deepcopy(module)
        else:
            made = module(n_features, self.n_outputs_) if callable(module) else None
        if not isinstance(made, nn.Module):
            raise ArgumentError(
                f"{owner}: module must be a dotori.nn.Module, or a function that makes "
                f"one for (n_features, n_outputs); got {module!r}"
            )
        typed: nn.Module = made.to(dtype)
        return typed

    def _take_coefficients(self) -> None:
        """Show the network's arrays as attributes."""
        network, own = self._network, self.module is None
        self.coefs_, self.intercepts_ = (
            _network.coefficients(network) if own else ([], [])
        )
        self.state_ = _network.other_state(network, own)

    def _attributes(self) -> dict[str, Any]:
        """The attributes of an estimator that would stop now."""
        self._take_coefficients()
        return {k: v for k, v in vars(self).items() if k.endswith("_")}

    @property
    def network_(self) -> nn.Module:
        """The network: a `dotori.nn.Module` with `coefs_` and `intercepts_` in it."""
        check_is_fitted(self, "coefs_")
        own, state = self.module is None, vars(self).get("state_", {})
        network: Any = vars(self).get("_network")
        if network is None:
            network = self._network = self._rebuilt(state)
        if own:
            arrays = [a for part in _network.coefficients(network) for a in part]
            given = (*self.coefs_, *self.intercepts_)
            for array, value in zip(arrays, given, strict=True):
                _network.put(array, value)
        other = _network.other_state(network, own)
        if other.keys() != state.keys():
            raise ArgumentError(
                f"{type(self).__name__}: module has the parameters and buffers "
                f"{sorted(other)}, but those of the fit are {sorted(state)}"
            )
        for name, array in other.items():
            _network.put(array, state[name])
        found: nn.Module = network
        return found

    def _rebuilt(self, state: dict[str, Array]) -> nn.Module:
        """The network of an estimator that was copied, or read from a file."""
        if isinstance(self.module, str):
            raise ArgumentError(
                f"{type(self).__name__}: the file does not hold the module that was "
                f"fitted, {self.module}; give it by set_params(module=...)"
            )
        floats = [
            a.dtype for a in (*self.coefs_, *state.values()) if a.dtype.kind == "f"
        ]
        width = len(self.coefs_[0]) if self.coefs_ else self.n_features_in_
        with use_generator(Generator(0)):  # what is drawn is overwritten
            return self._build(width, floats[0]).eval()

    def _widest(self) -> int:
        return max([p.shape[0] for p in self._network.parameters()], default=1)

    def _outputs(self, X: Any) -> Array:
        """What the network gives for rows, (n, n_outputs), block by block."""
        network = self._network.eval()
        dtype = next(network.parameters()).dtype
        thin = self.module is None and is_thin(X, network)
        z = np.empty((X.shape[0], self.n_outputs_), dtype)
        with no_grad():
            for rows in blocks(X, self._widest(), thin):
                found = forward(network, taken(X, rows, dtype, thin)).array
                if found.shape != z[rows].shape:
                    raise ArgumentError(
                        f"{type(self).__name__}: module gave outputs of shape "
                        f"{found.shape} where {z[rows].shape} was wanted"
                    )
                z[rows] = found
        return z

    def _predicted(self, X: Any) -> Array:
        """The network's outputs for rows from outside."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        _ = self.network_  # with the coefficients that are there now
        return self._outputs(X.tocsr() if hasattr(X, "tocsr") else X)

    # ------------------------------------------------------------ copies and files

    def __getstate__(self) -> dict[str, Any]:
        """What copies of the estimator hold: not the network, which they build anew."""
        state = dict(super().__getstate__())
        state.pop("_network", None)
        trainer = state.pop("_trainer", None)
        if trainer is not None:
            state["_moments"] = trainer.optimizer.state_dict()
        return state

    def save(self, path: Any) -> None:
        """Write the estimator to one file; `dotori.learn.load` reads it.

        A module of the user's own is not in the file, only what it learned; after
        loading, ``set_params(module=...)`` gives the code again. Callbacks are not in
        it, nor are the optimiser's moments: `partial_fit` begins them anew.

        Parameters
        ----------
        path : str or PathLike

        Raises
        ------
        ArgumentError
            If a parameter is something that a file cannot hold, such as a function.
        """
        saved = copy.copy(self)
        saved.callbacks = None
        if self.module is not None and not isinstance(self.module, str):
            kind = type(self.module).__name__
            saved.module = getattr(self.module, "__name__", kind)
        Estimator.save(saved, path)
