"""The families of functions that are loaded when one of their names is first used.

`import dotori` loads what every network needs. The rest waits here under its names, so
that what is not used costs no time. A test holds this table against the files.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Under each file of `dotori.functions`: its names, all of them functions of `dotori`.
_FAMILIES = {
    # one definition under several names
    "aliases": (
        "absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh concatenate "
        "degrees divide expand_dims fix greater greater_equal invert left_shift less "
        "less_equal mod moveaxis multiply negative not_equal power radians right_shift "
        "rint row_stack subtract swapdims true_divide"
    ),
    # more arithmetic on each element
    "arithmetic": (
        "addcdiv addcmul bitwise_left_shift bitwise_right_shift clamp_max clamp_min "
        "copysign deg2rad float_power fmax fmin frexp gcd heaviside isneginf isposinf "
        "lcm ldexp logaddexp2 nan_to_num nextafter positive rad2deg rsub signbit"
    ),
    # special functions, which `dotori.special` has as well
    "special": (
        "digamma erf erfc erfinv i0 igamma igammac lgamma logit mvlgamma polygamma "
        "sinc xlogy"
    ),
    # more reductions, and what runs along an axis
    "statistics": "aminmax corrcoef cov nanmean nansum renorm std_mean var_mean",
    "quantiles": "median mode nanmedian nanquantile quantile",
    "cumulative": (
        "cummax cummin cumprod cumulative_trapezoid diff gradient logcumsumexp "
        "trapezoid trapz"
    ),
    "sorting": (
        "argsort bucketize isin kthvalue msort searchsorted sort topk unique "
        "unique_consecutive"
    ),
    "counting": "bincount histc histogram histogramdd",
    "distance": "cdist dist pdist",
    # taking elements and putting them back
    "gathering": (
        "argwhere gather index_select masked_select narrow narrow_copy nonzero "
        "nonzero_static select take take_along_dim unravel_index"
    ),
    "scattering": (
        "index_add index_copy index_fill index_put index_reduce put scatter "
        "scatter_add scatter_reduce"
    ),
    "masking": (
        "diagonal_scatter fill masked_fill masked_scatter select_scatter slice_scatter"
    ),
    # shape, parts, repetition
    "views": (
        "adjoint as_strided as_strided_scatter atleast_1d atleast_2d atleast_3d "
        "broadcast_tensors ravel t unflatten"
    ),
    "splitting": (
        "dsplit hsplit split_with_sizes tensor_split unsafe_chunk unsafe_split "
        "unsafe_split_with_sizes vsplit"
    ),
    "diagonal": (
        "block_diag diag diag_embed diagflat diagonal tril_indices triu_indices"
    ),
    "repeating": "fliplr flipud repeat_interleave roll rot90 tile",
    "padding": "constant_pad_nd",
    "combining": "cartesian_prod column_stack combinations dstack meshgrid",
    # more products, and complex numbers
    "affine": "addbmm addmm addmv addr baddbmm",
    "products": (
        "bmm chain_matmul cross dot ger inner kron mm mv outer tensordot trace vdot"
    ),
    "einsum": "einsum",
    "windows": (
        "bartlett_window blackman_window hamming_window hann_window kaiser_window"
    ),
    "spectrogram": "istft stft",
    "matrices": (
        "cholesky cholesky_inverse cholesky_solve det geqrf inverse logdet lu lu_solve "
        "lu_unpack matrix_exp matrix_power orgqr ormqr pca_lowrank pinverse qr slogdet "
        "svd svd_lowrank triangular_solve vander"
    ),
    "complex": (
        "angle complex conj conj_physical imag is_complex is_conj is_neg isreal polar "
        "real resolve_conj resolve_neg sgn view_as_complex view_as_real"
    ),
    # new tensors, and how they lie in memory
    "alike": "asarray empty_permuted empty_strided frombuffer scalar_tensor",
    "datatypes": "can_cast finfo iinfo result_type",
    "layout": ("is_floating_point is_nonzero is_same_size is_signed is_tensor numel"),
    "copies": (
        "alias_copy as_strided_copy detach_copy diagonal_copy expand_copy "
        "permute_copy select_copy slice_copy split_copy split_with_sizes_copy "
        "squeeze_copy t_copy transpose_copy unbind_copy unfold_copy unsqueeze_copy "
        "view_copy"
    ),
    # how they are shown, and how many threads work
    "printing": "set_printoptions",
    "threads": "get_num_threads set_num_threads",
    # random numbers
    "sampling": (
        "bernoulli binomial multinomial normal poisson rand_like randint "
        "randint_like randn_like randperm"
    ),
}

#: Those of the names that are methods of `Tensor` as well.
_METHODS = {
    "aliases": (
        "absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh degrees divide "
        "expand_dims fix greater greater_equal invert left_shift less less_equal mod "
        "moveaxis multiply negative not_equal power radians right_shift rint subtract "
        "swapdims true_divide"
    ),
    "arithmetic": (
        "addcdiv addcmul bitwise_left_shift bitwise_right_shift clamp_max clamp_min "
        "copysign deg2rad float_power fmax fmin frexp gcd heaviside isneginf isposinf "
        "lcm ldexp logaddexp2 nan_to_num nextafter positive rad2deg signbit"
    ),
    "special": (
        "digamma erf erfc erfinv i0 igamma igammac lgamma logit mvlgamma polygamma "
        "sinc xlogy"
    ),
    "statistics": "aminmax corrcoef cov nanmean nansum renorm",
    "quantiles": "median mode nanmedian nanquantile quantile",
    "cumulative": "cummax cummin cumprod diff logcumsumexp",
    "sorting": "argsort kthvalue msort sort topk unique unique_consecutive",
    "counting": "bincount histc histogram",
    "distance": "dist",
    "gathering": (
        "argwhere gather index_select masked_select narrow narrow_copy nonzero "
        "nonzero_static select take take_along_dim"
    ),
    "scattering": (
        "index_add index_copy index_fill index_put index_reduce put scatter "
        "scatter_add scatter_reduce"
    ),
    "masking": (
        "diagonal_scatter masked_fill masked_scatter select_scatter slice_scatter"
    ),
    "views": (
        "adjoint as_strided as_strided_scatter expand_as ravel reshape_as sum_to_size "
        "t unflatten unfold view view_as"
    ),
    "splitting": (
        "dsplit hsplit split_with_sizes tensor_split unsafe_chunk unsafe_split "
        "unsafe_split_with_sizes vsplit"
    ),
    "diagonal": "diag diag_embed diagflat diagonal",
    "repeating": "fliplr flipud repeat repeat_interleave roll rot90 tile",
    "combining": "",
    "affine": "addbmm addmm addmv addr baddbmm",
    "products": "bmm cross dot ger inner kron mm mv outer trace vdot",
    "spectrogram": "istft stft",
    "matrices": (
        "cholesky cholesky_inverse cholesky_solve det geqrf inverse logdet lu lu_solve "
        "matrix_exp matrix_power orgqr ormqr pinverse qr slogdet svd triangular_solve"
    ),
    "complex": (
        "angle conj conj_physical is_complex is_conj is_neg isreal resolve_conj "
        "resolve_neg sgn"
    ),
    "alike": ("new_empty new_empty_strided new_full new_ones new_tensor new_zeros"),
    "layout": (
        "data_ptr element_size is_floating_point is_nonzero "
        "is_same_size is_signed ndimension nelement storage_offset stride"
    ),
    "casting": "bfloat16 cpu cuda to type type_as",
    "typed": "bool byte cdouble cfloat char half int short",
    "sampling": "bernoulli multinomial",
    "filling": (
        "bernoulli_ cauchy_ exponential_ geometric_ log_normal_ normal_ random_ "
        "uniform_"
    ),
}


#: The methods that have a form in place, such as `sin_`, which is made from them.
_IN_PLACE = (
    "abs absolute acos acosh addbmm addcdiv addcmul addmm addmv addr arccos arccosh "
    "arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh baddbmm "
    "bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift "
    "bitwise_xor ceil clamp clamp_max clamp_min clip conj_physical copysign cos cosh "
    "cumprod cumsum deg2rad digamma divide eq erf erfc erfinv exp exp2 expm1 fix "
    "float_power floor floor_divide fmod frac gcd ge greater greater_equal gt "
    "heaviside hypot i0 igamma igammac index_add index_copy index_fill index_put "
    "index_reduce lcm ldexp le lerp less less_equal lgamma log log10 log1p log2 "
    "logical_and logical_not logical_or logical_xor logit lt masked_fill "
    "masked_scatter multiply mvlgamma nan_to_num ne neg negative nextafter not_equal "
    "polygamma pow put rad2deg reciprocal relu remainder renorm round rsqrt scatter "
    "scatter_add scatter_reduce sgn sigmoid sign sin sinc sinh sqrt square subtract "
    "tan tanh tril triu true_divide trunc xlogy"
)
#: The same where the form in place is another shape of the same memory.
_RESHAPING = "as_strided squeeze swapaxes swapdims t transpose unsqueeze"


def _by_name(table: dict[str, str]) -> dict[str, str]:
    return {
        name: f"dotori.functions.{family}"
        for family, names in table.items()
        for name in names.split()
    }


IN_PLACE = frozenset(f"{name}_" for name in _IN_PLACE.split())
RESHAPING = frozenset(f"{name}_" for name in _RESHAPING.split())
FUNCTIONS = _by_name(_FAMILIES)
METHODS = _by_name(_METHODS)
# two activations are methods in PyTorch
METHODS |= dict.fromkeys(("hardshrink", "prelu"), "dotori.nn.functional")


def load(name: str, table: dict[str, str]) -> Any:
    """The function of this name; KeyError if the table does not have it."""
    return getattr(import_module(table[name]), name)


def load_all() -> None:
    """Load every family, so that NumPy's functions find all that dotori has."""
    for module in dict.fromkeys(FUNCTIONS.values()):
        import_module(module)
    import_module("dotori.linalg")
