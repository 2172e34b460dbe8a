"""Derivatives of functions: whole Jacobians and Hessians, and their products.

For a function f with the Jacobian J_ij = df_i / dx_j, one walk back gives v^T J, a sum
of rows. The other product, J v, comes from a second walk (Townsend, "A new trick for
calculating Jacobian vector products", 2017): u -> u^T J is linear in u, so that its own
gradient, weighted by v, is J v, whatever u is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from dotori.autograd.graph import Variable, as_variable, leaf, tensor_namespace, wrap
from dotori.autograd.modes import enable_grad
from dotori.autograd.views import current_node
from dotori.autograd.walk import grad
from dotori.backend import is_array, namespace
from dotori.errors import ArgumentError, DTypeError, GradientError, ShapeError

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function: TypeAlias = Callable[..., Any]
#: A tensor, or a tuple of tensors: what comes back has the form of what was given.
Tensors: TypeAlias = Any

_STRATEGIES = ("reverse-mode", "forward-mode")


def jacobian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """J[a, b] = d func(x)[a] / dx[b], of the shape of the output and then of the input.

    One walk back for each element of the output.

    Parameters
    ----------
    func : callable
        Takes the inputs, returns a tensor or a tuple of them.
    inputs : tensor or tuple of tensors
        They need not require a gradient.
    create_graph : bool
        Record the Jacobian, so that it has a gradient with respect to the inputs.
    strict : bool
        Raise where an output does not depend on an input; otherwise zeros.
    vectorize, strategy
        PyTorch's; here they change nothing.

    Returns
    -------
    tensor or tuple
        One tensor; a tuple over the inputs or over the outputs, if there are several
        of them; for both, a tuple over the outputs of tuples over the inputs.

    Raises
    ------
    GradientError
        With `strict`, naming the output and the input.

    Examples
    --------
    >>> import dotori
    >>> x = dotori.tensor([1.0, 2.0, 3.0])
    >>> jacobian(lambda x: x * x.sum(), x).tolist()
    [[7.0, 1.0, 1.0], [2.0, 8.0, 2.0], [3.0, 3.0, 9.0]]
    """
    _check_strategy("jacobian", strategy)
    with enable_grad():
        many, xs = _inputs("jacobian", inputs, create_graph)
        many_ys, ys = _outputs("jacobian", func(*xs))
        rows = [
            _rows("jacobian", i, y, xs, create_graph, strict) for i, y in enumerate(ys)
        ]
    found = [row if many else row[0] for row in rows]
    return tuple(found) if many_ys else found[0]


def hessian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """H[a, b] = d^2 func(x) / dx[a] dx[b] of a function whose value is one number.

    Arguments as in `jacobian`. For several inputs, a tuple of tuples of blocks.

    Examples
    --------
    >>> import dotori
    >>> hessian(lambda x: (x**3).sum(), dotori.tensor([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    _check_strategy("hessian", outer_jacobian_strategy)
    many = isinstance(inputs, tuple)

    def gradient(*xs: Any) -> Any:
        y = _single("hessian", func(*xs))
        return _grads("hessian", [y], xs, [None], create_graph=True, strict=strict)

    result = jacobian(gradient, inputs, create_graph=create_graph, strict=strict)
    return result if many else result[0]


def vjp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func`, and v^T J: one walk back.

    `v` has the form and the shapes of the output; a single number needs none.

    Examples
    --------
    >>> import dotori
    >>> x, v = dotori.tensor([1.0, 2.0]), dotori.tensor([1.0, 10.0])
    >>> y, product = vjp(lambda x: x * x.sum(), x, v)
    >>> y.tolist(), product.tolist()
    ([3.0, 6.0], [24.0, 51.0])
    """
    with enable_grad():
        many, xs = _inputs("vjp", inputs, create_graph)
        many_ys, ys = _outputs("vjp", func(*xs))
        weights = _weights("vjp", v, ys, "output")
        found = _grads("vjp", ys, xs, weights, create_graph, strict)
    return _form(ys, many_ys, create_graph), found if many else found[0]


def jvp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func`, and J v: how the output changes when x moves along `v`.

    Two walks, whatever the sizes. `v` has the form and the shapes of the inputs; a
    single number needs none.

    Examples
    --------
    >>> import dotori
    >>> x, v = dotori.tensor([1.0, 2.0]), dotori.tensor([1.0, 10.0])
    >>> jvp(lambda x: x * x.sum(), x, v)[1].tolist()
    [14.0, 52.0]
    """
    with enable_grad():
        _, xs = _inputs("jvp", inputs, create_graph)
        many_ys, ys = _outputs("jvp", func(*xs))
        weights = _weights("jvp", v, xs, "input")
        us = [_fresh(namespace(y.array).zeros_like(y.array)) for y in ys]
        back = _grads("jvp", ys, xs, us, create_graph=True, strict=strict)
        found = _grads("jvp", back, us, weights, create_graph, strict)
    return _form(ys, many_ys, create_graph), found if many_ys else found[0]


def vhp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func`, one number, and v^T H of its Hessian H: two walks.

    `v` has the form and the shapes of the inputs; a single number needs none.

    Examples
    --------
    >>> import dotori
    >>> x, v = dotori.tensor([1.0, 2.0]), dotori.tensor([1.0, 10.0])
    >>> vhp(lambda x: (x**3).sum(), x, v)[1].tolist()
    [6.0, 120.0]
    """
    with enable_grad():
        many, xs = _inputs("vhp", inputs, create_graph)
        y = _single("vhp", func(*xs))
        weights = _weights("vhp", v, xs, "input")
        back = _grads("vhp", [y], xs, [None], create_graph=True, strict=strict)
        found = _grads("vhp", back, xs, weights, create_graph, strict)
    return _form([y], False, create_graph), found if many else found[0]


def hvp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of `func`, one number, and H v of its Hessian H.

    A Hessian is symmetric, so that this is `vhp`; PyTorch takes one walk more.

    Examples
    --------
    >>> import dotori
    >>> x, v = dotori.tensor([1.0, 2.0]), dotori.tensor([1.0, 10.0])
    >>> hvp(lambda x: (x**3).sum(), x, v)[1].tolist()
    [6.0, 120.0]
    """
    return vhp(func, inputs, v, create_graph, strict)


def _check_strategy(by: str, strategy: str) -> None:
    if strategy not in _STRATEGIES:
        raise ArgumentError(f"{by}: strategy is one of {_STRATEGIES}, got {strategy!r}")


def _fresh(array: Any) -> Any:
    return wrap(array, leaf(array))


def _inputs(by: str, inputs: Tensors, create_graph: bool) -> tuple[bool, list[Any]]:
    """Whether a tuple was given, and a new place in the graph for each input.

    A new one, so that the same tensor may be given twice. With `create_graph` it lies
    behind the tensor's own, which the results must lead to.
    """
    many = isinstance(inputs, tuple)
    xs = []
    for i, value in enumerate(inputs if many else (inputs,)):
        if not isinstance(value, Variable) and not is_array(value):
            raise DTypeError(
                f"{by}: the inputs are a tensor or a tuple of tensors, but input {i} "
                f"is a {type(value).__name__}"
            )
        x = as_variable(value)
        if x.dtype.kind not in "fc":
            raise DTypeError(
                f"{by}: only floats have gradients, but input {i} holds {x.dtype}; "
                "convert it first, for example with .float()"
            )
        inside = create_graph and current_node(x) is not None
        xs.append(x.reshape(x.shape) if inside else _fresh(x.array))
    return many, xs


def _outputs(by: str, result: Any) -> tuple[bool, list[Any]]:
    """Whether the function gave a tuple, and its tensors."""
    many = isinstance(result, tuple)
    ys = list(result) if many else [result]
    for i, y in enumerate(ys):
        if not isinstance(y, Variable):
            raise DTypeError(
                f"{by}: the function must give a tensor or a tuple of tensors, but "
                f"output {i} is a {type(y).__name__}"
            )
    return many, ys


def _single(by: str, result: Any) -> Any:
    """The only output, a single number, without axes."""
    many, ys = _outputs(by, result)
    if many or ys[0].array.size != 1:
        given = f"{len(ys)} outputs" if many else f"shape {ys[0].shape}"
        raise ShapeError(f"{by}: the function must give a single number, got {given}")
    return ys[0].reshape(())


def _weights(by: str, v: Tensors, like: Sequence[Any], what: str) -> list[Any]:
    """`v`, one for each tensor of `like` and of its shape."""
    if v is None:
        if len(like) != 1 or like[0].array.size != 1:
            shapes = [t.shape for t in like]
            raise ArgumentError(
                f"{by}: v may be left out for a single number alone, but the {what}s "
                f"have the shapes {shapes}"
            )
        return [wrap(namespace(like[0].array).ones_like(like[0].array))]
    given = [as_variable(g) for g in (v if isinstance(v, tuple) else (v,))]
    if [g.shape for g in given] != [t.shape for t in like]:
        raise ShapeError(
            f"{by}: v has the shapes {[g.shape for g in given]}, the {what}s have "
            f"{[t.shape for t in like]}; they must be equal"
        )
    return given


def _form(ys: Sequence[Any], many: bool, create_graph: bool) -> Any:
    """The outputs as the function gave them, outside of the graph unless it is kept."""
    found = tuple(y if create_graph else wrap(y.array) for y in ys)
    return found if many else found[0]


def _grads(
    by: str,
    ys: Sequence[Any],
    xs: Sequence[Any],
    weights: Sequence[Any],
    create_graph: bool,
    strict: bool,
    first: int = 0,
) -> tuple[Any, ...]:
    """Gradients of `ys` for `xs`; zeros, or with `strict` an error, where none is.

    `first` is the number of the first of `ys` among the outputs of the function.
    """
    used = [i for i, y in enumerate(ys) if current_node(y) is not None]
    if strict and len(used) < len(ys):
        lost = next(i for i in range(len(ys)) if i not in used)
        raise GradientError(
            f"{by}: output {first + lost} depends on no input in a way that has a "
            "gradient, which strict=True asks for"
        )
    found: Sequence[Any] = [None] * len(xs)
    if used:
        found = grad(
            [ys[i] for i in used],
            xs,
            [weights[i] for i in used],
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
    for j, g in enumerate(found):
        if strict and g is None:
            names = ", ".join(str(first + i) for i in used)
            raise GradientError(
                f"{by}: output {names} does not depend on input {j}, which strict=True "
                "asks for"
            )
    return tuple(
        wrap(namespace(x.array).zeros_like(x.array)) if g is None else g
        for x, g in zip(xs, found, strict=True)
    )


def _rows(
    by: str, i: int, y: Any, xs: Sequence[Any], create_graph: bool, strict: bool
) -> tuple[Any, ...]:
    """The blocks of the Jacobian of output `i`, one for each input."""
    arrays, xp = namespace(y.array), tensor_namespace()
    rows = []
    for k in range(y.array.size):
        seed = arrays.zeros(y.array.size, y.array.dtype)
        seed[k] = 1
        seeds = [wrap(seed.reshape(y.shape))]
        rows.append(_grads(by, [y], xs, seeds, create_graph, strict, first=i))
    blocks = []
    for j, x in enumerate(xs):
        shape = (*y.shape, *x.shape)
        if rows:
            blocks.append(xp.stack([row[j] for row in rows]).reshape(shape))
        else:
            blocks.append(wrap(arrays.zeros(shape, x.array.dtype)))
    return tuple(blocks)
