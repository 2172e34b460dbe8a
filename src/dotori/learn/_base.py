"""`Estimator`: what all estimators share beyond scikit-learn's `BaseEstimator`."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from dotori.learn._callbacks import CallbackSupport, Tasks


class Estimator(CallbackSupport, BaseEstimator):
    """The parent of all estimators: parameters, files, and callbacks while fitting.

    scikit-learn's mixins stand to its left:
    ``class KMeans(ClusterMixin, Estimator)``.

    Examples
    --------
    >>> from dotori.learn import StandardScaler, load
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "scaler.dotori"
    >>> StandardScaler().fit([[1.0], [3.0]]).save(path)
    >>> load(path).mean_.tolist()
    [2.0]
    """

    #: Attributes that a model file leaves out; `_restore` makes them again.
    _unstored: ClassVar[tuple[str, ...]] = ()

    def save(self, path: Any) -> None:
        """Write the estimator to one file, atomically; `dotori.learn.load` reads it.

        Parameters
        ----------
        path : str or PathLike

        Raises
        ------
        ArgumentError
            If a parameter is something that a file cannot hold, such as a function.
        OSError
            If the file cannot be written. The old one, if any, is intact.
        """
        from dotori.learn._files import save

        save(self, path)

    def _restore(self) -> None:
        """Called after the attributes were read from a file."""

    def _tasks(
        self,
        name: str,
        X: Any,
        y: Any = None,
        *,
        most: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Tasks:
        """The steps of a fit, as scikit-learn's callbacks want to hear of them."""
        return Tasks(self, name, X, y, most, metadata)
