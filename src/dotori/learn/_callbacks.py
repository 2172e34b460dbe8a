"""scikit-learn's protocol for callbacks while fitting (1.9 and newer), in one place.

A fit is a task, and its iterations (or trees, or epochs) are its subtasks: callbacks
such as `sklearn.callback.ProgressBar` hear of the beginning and the end of each. With
an older scikit-learn, or without callbacks, nothing of this costs anything.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class CallbackSupport:
        """Typed stand-in for scikit-learn's mixin."""

        def _init_callback_context(self, **about: Any) -> Any: ...

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Typed stand-in for scikit-learn's decorator."""
else:
    try:
        from sklearn.callback import CallbackSupportMixin as CallbackSupport
        from sklearn.callback import with_callbacks
    except ImportError:  # before 1.9

        class CallbackSupport:
            """There are no callbacks in this version of scikit-learn."""

        def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
            """The method as it is."""
            return method


class Tasks:
    """The subtasks of a fit.

    ``with self._tasks("iteration", X, y, most=100) as tasks:`` stands around the loop
    of a fit that is decorated with `with_callbacks`; ``tasks.begin()`` and
    ``tasks.end()`` around what the loop does. `end` says whether a callback asked to
    stop.

    Parameters
    ----------
    estimator : Estimator
    name : str
        What one subtask is called: "iteration", "tree", "epoch".
    X, y : array
        What is being fitted.
    most : int, optional
        The most subtasks that there will be; 0 if there are none.
    metadata : dict, optional
        Such as ``{"sample_weight": w}``.

    Examples
    --------
    >>> from dotori.learn import KMeans
    >>> with KMeans()._tasks("iteration", [[0.0]], most=3) as tasks:
    ...     for _ in range(3):
    ...         tasks.begin()
    ...         if tasks.end():
    ...             break
    >>> tasks.listened
    False
    """

    def __init__(
        self,
        estimator: Any,
        name: str,
        X: Any,
        y: Any,
        most: int | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        self._estimator, self._name, self._most = estimator, name, most
        self._about = {"X": X, "y": y, "metadata": metadata}
        self._context: Any = None
        self._one: Any = None

    @property
    def listened(self) -> bool:
        """Whether there are callbacks at all."""
        return self._context is not None

    def __enter__(self) -> Tasks:
        estimator = self._estimator
        heard = hasattr(estimator, "_skl_callbacks") or hasattr(
            estimator, "_parent_callback_ctx"
        )
        if heard:
            self._context = estimator._init_callback_context(max_subtasks=self._most)
            self._context.call_on_fit_task_begin(estimator=estimator, **self._about)
        return self

    def begin(self) -> None:
        """A subtask begins."""
        if self._context is not None:
            self._one = self._context.subcontext(task_name=self._name)
            self._one.call_on_fit_task_begin(estimator=self._estimator, **self._about)

    def end(self, fitted: Callable[[], dict[str, Any]] | None = None) -> bool:
        """A subtask has ended; whether a callback wants the fit to stop here.

        `fitted` gives the attributes of an estimator that would stop now.
        """
        if self._one is None:
            return False
        one, self._one = self._one, None
        return bool(
            one.call_on_fit_task_end(
                estimator=self._estimator,
                reconstruction_attributes=fitted,
                **self._about,
            )
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._context is not None and kind is None:
            self._context.call_on_fit_task_end(estimator=self._estimator, **self._about)
