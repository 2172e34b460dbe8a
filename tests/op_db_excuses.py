"""What of PyTorch's operators dotori does not have or does otherwise, and why."""

#: Random values: only shapes and types can be compared.
FREE = {
    "empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "empty_permuted",
    "randn", "randn_like", "rand_like", "randint", "randint_like", "normal", "normal (in_place)",
    "normal (number_mean)", "uniform", "exponential", "cauchy", "geometric", "log_normal", "multinomial", "bernoulli",
    "nn.functional.dropout", "nn.functional.dropout2d", "nn.functional.dropout3d", "nn.functional.alpha_dropout",
    "nn.functional.feature_alpha_dropout (with_train)", "nn.functional.feature_alpha_dropout (without_train)",
    "nn.functional.rrelu", "svd_lowrank", "pca_lowrank",
    "nn.functional.multi_head_attention_forward",  # whose samples drop at random; see tests/nn/test_attention.py
    "nn.functional.fractional_max_pool2d", "nn.functional.fractional_max_pool3d",
}  # fmt: skip

#: Relative and absolute tolerance where 1e-7 is not within reach, with the reason.
TOLERANCE: dict[str, tuple[float, float]] = {
    "half": (1e-3, 1e-3),  # PyTorch's gradient takes the way through float16
    "cov": (1e-6, 1e-6),  # its samples mix float32 weights with float64
    # beyond x = 5 PyTorch's have 7 digits (as SciPy and mpmath show)
    "special.bessel_j0": (1e-6, 1e-6),
    "special.bessel_j1": (1e-6, 1e-6),
    "special.bessel_y0": (1e-6, 1e-6),
    "special.bessel_y1": (1e-6, 1e-6),
}

#: Gradients that are not compared: name and reason.
WITHOUT_GRADIENT: dict[str, str] = {
    "as_strided_scatter": "PyTorch's goes on to elements that were replaced",
    "nn.functional.ctc_loss": "PyTorch's holds behind log_softmax only; compared there",
    "cholesky_inverse": "PyTorch's names the triangle that is not read as well",
    "cholesky_solve": "PyTorch's names the triangle that is not read as well",
    "linalg.norm (subgradients_at_zero)": "PyTorch's second gradient is NaN at 0, ours 0",
}

#: Samples that are refused on purpose: a part of the message.
DELIBERATE: dict[str, str] = {
    "nn.functional.batch_norm": "must be (batch, channels",  # one empty axis
    "histogramdd": "bins must rise",  # PyTorch counts something in unsorted ones
    "nn.functional.gaussian_nll_loss": "they must be equal",
}

#: Types that are not compared: name and reason.
TYPES_DIFFER: dict[str, tuple[str, str]] = {
    "argsort": ("uint8 int64 int32 bool", "of equal elements PyTorch keeps no order"),
    "sort": ("uint8 int64 int32 bool", "of equal elements PyTorch keeps no order"),
    "topk": ("uint8 int64 int32", "which of equal elements is given is free"),
    "kthvalue": ("uint8 int64 int32", "which of equal elements is given is free"),
    "mode": ("int64 int32 uint8 bool", "which of equal elements is given is free"),
    "nn.functional.margin_ranking_loss": ("uint8", "targets of -1 have no uint8"),
    **dict.fromkeys(
        (
            "nn.functional.interpolate (bilinear)",
            "nn.functional.interpolate (bicubic)",
            "nn.functional.upsample_bilinear",
        ),
        ("uint8", "PyTorch rounds after each axis, dotori once, at the end"),
    ),
}

#: What PyTorch refuses and dotori takes: name and reason.
REFUSALS: dict[str, str] = {}

#: How many times PyTorch's own error is allowed in float32, and why.
LESS_PRECISE: dict[str, tuple[float, str]] = {}

#: Operators whose values for strange numbers are not PyTorch's, and why.
STRANGE: dict[str, str] = {
    "igamma": "smallest numbers: PyTorch rounds them to 0 before the logarithm",
    "igammac": "the same",
    "log1p": "PyTorch rounds the smallest numbers to 0",
    "sinc": "PyTorch reduces large float32 arguments in float32",
    **dict.fromkeys(
        (f"special.bessel_{kind}" for kind in ("j0", "j1", "y0", "y1")),
        "the limit 0 at infinity, and six digits more than PyTorch for large numbers",
    ),
    "special.airy_ai": "six digits more than PyTorch for large numbers",
    "special.zeta": "the limit at infinity; PyTorch gives NaN",
    "special.modified_bessel_i1": "PyTorch keeps the smallest number",
    "special.modified_bessel_k1": "the limit at 0; PyTorch gives NaN",
    "special.scaled_modified_bessel_k0": "the limit at 0",
    "special.scaled_modified_bessel_k1": "the limit at 0",
    **dict.fromkeys(
        (
            f"special.{name}"
            for name in (
                *(f"chebyshev_polynomial_{kind}" for kind in "tuvw"),
                *(f"shifted_chebyshev_polynomial_{kind}" for kind in "tuvw"),
                "hermite_polynomial_h",
                "hermite_polynomial_he",
                "laguerre_polynomial_l",
                "legendre_polynomial_p",
            )
        ),
        "NaN for a degree that is NaN; PyTorch gives 0",
    ),
}
