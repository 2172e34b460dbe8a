"""PyTorch's public lists, what of them dotori has, and why the rest is not there.

The table in `docs/pytorch.md` is written from this by
`tests/contracts/test_coverage_table.py`.
"""

import inspect
import re

import dotori
from op_db import FILLING, real_valued, resolve, torch

LOWER = "an inner form with arguments of its own; `nn` and `nn.functional` have it"
INNER = "an inner part of PyTorch, not meant to be called"
SECOND_NAME = "an undocumented second name; `nn.functional` has it"
COMPLEX = "complex halves and casts to complex by name; use `.to(dtype)`"
SPARSE = "sparse tensors"
QUANTISED = "quantised tensors"
VIEWS_ONLY = "copies of views for compilers; use the view and `clone()`"
OTHER = "other devices and compilers, of PyTorch's own"
MEMORY = "changes the size of memory that NumPy owns; make a new tensor"
SHARED = "memory shared between processes, and storages; arrays are NumPy's"
PICKLED = (
    "pickled files run code when they are loaded; `save_weights` writes safetensors"
)

#: The first pattern that a missing name matches wholly says why it is missing.
REASONS = [
    (r".*anomaly.*", "`autograd.detect_anomaly` and `set_detect_anomaly` switch it"),
    (r"slice|slice_inverse|dim_order|index|new|to_dense|frombuffer|to_dlpack", INNER),
    (
        r"(alpha_|feature_|feature_alpha_)?dropout_?|(celu|rrelu|selu|threshold)_",
        SECOND_NAME,
    ),
    (
        r"(binary_cross_entropy_with|ctc|kl|margin|poisson|triplet).*(loss|logits|div)",
        SECOND_NAME,
    ),
    (r"as_strided_|detach_|fill_|zero_", "methods"),
    (r"swap_in_optimizer_params_and_state", OTHER),
    (
        r"masked\..*",
        "masked tensors, a prototype in PyTorch; use `where` or the nan-forms",
    ),
    (r"jiterator_.*", "kernels in CUDA's C++"),
    (r".*sparse.*|hspmm|hsmm|s?s?addmm|smm|spmm|dsmm|saddmm|sspaddmm", SPARSE),
    (
        r".*coalesce.*|.*(crow|ccol|row|col)_indices.*|indices.*|values.*|dense_dim",
        SPARSE,
    ),
    (
        r".*quant.*|q_.*|qscheme|q?u?int\d+x?\d*|quint.*|int_repr|qint.*|fbgemm.*",
        QUANTISED,
    ),
    (
        r"fused_moving_avg.*|choose_qparams.*|bits\d.*|bit|float[48]_.*|uint[1-7]",
        QUANTISED,
    ),
    (r".*mkldnn.*|miopen.*|cudnn.*|.*_backward_(elemt|reduce).*|batch_norm_.*", INNER),
    (r"_.*|native_.*|torch\.ops\..*|.*_with_indices_backward|norm_except_dim", INNER),
    (
        r"max_pool.*_with_indices.*|affine_grid_generator|grid_sampler.*|convolution",
        INNER,
    ),
    (r".*_copy", VIEWS_ONLY),
    (r"cfloat|cdouble|chalf|complex32", COMPLEX),
    (r"bfloat16", "a type that NumPy does not have; float16 or float32"),
    (r"resize.*|set_|sparse_resize.*", MEMORY),
    (
        r".*share_memory.*|.*storage.*|data_ptr|const_data_ptr|is_set_to|is_shared",
        SHARED,
    ),
    (
        r"pin_memory|is_pinned|record_stream|cuda|ipu|xpu|mtia|.*autocast.*|get_device",
        OTHER,
    ),
    (r"(import|parse)_.*|sym_.*|fork|wait|compile|export|vmap|cond", OTHER),
    (r"unify_type_list|merge_type.*|init_num_threads|.*interop_threads|cpp", OTHER),
    (r".*deterministic.*", "dotori is deterministic: same seed, same bits"),
    (
        r".*_autocast|.*flush_denormal|.*float32_matmul_precision|has_.*|.*vulkan.*",
        OTHER,
    ),
    (r"(get|set)_default_device|set_default_tensor_type|get_device_module", OTHER),
    (r"save|load|from_file", PICKLED),
    (r"eig|lstsq|solve|symeig", "taken out of PyTorch; `linalg` has them"),
    (r"resize|resize_as|reinforce|range", "deprecated in PyTorch"),
    (r"SparseAdam", "gradients are dense: `Adam`"),
    (
        r"hash_tensor|segment_reduce|thread_safe_generator|lobpcg",
        "not asked for so far",
    ),
    (r"to_padded_tensor|as_subclass|module_load|names|refine_names|align_.*", OTHER),
    (r"map_|map2_|apply_", "a Python function for each element; use whole tensors"),
    (r"is_(inference|distributed|vulkan|warn).*|typename|layout", OTHER),
    (r"adaptive_max_pool1d|batch_norm|instance_norm|embedding(_bag|_renorm_)?", LOWER),
    (r"(gru|lstm|rnn_relu|rnn_tanh)(_cell)?|(cosine|hinge)_embedding_loss", LOWER),
    (r"(frobenius|nuclear)_norm", "inner forms of `norm` and `linalg.norm`"),
    (r"conv_tbc", "`conv1d` after `permute(1, 2, 0)`"),
    (r"DataParallel|SyncBatchNorm|Container|NLLLoss2d", "deprecated or distributed"),
    (
        r"scaled_mm|grouped_mm|scaled_grouped_mm|.*torch_function.*|boolean_dispatch",
        INNER,
    ),
    (r"assert_int_or_pair", INNER),
]


def reason(name):
    for pattern, why in REASONS:
        if re.fullmatch(pattern, name):
            return why
    return None


def operators():
    return sorted({op.name for op in real_valued().values()})


def methods():
    names = [n for n in dir(torch.Tensor) if not n.startswith("_")]
    return [n for n in names if callable(getattr(torch.Tensor, n, None))]


def functions():
    """What `torch` itself offers as functions of tensors."""
    return [
        n
        for n in dir(torch)
        if not n.startswith("_") and inspect.isbuiltin(getattr(torch, n))
    ]


def public(path):
    module = torch
    for part in path.split("."):
        module = getattr(module, part)
    names = getattr(module, "__all__", None) or dir(module)
    return sorted(
        n
        for n in names
        if not n.startswith("_")
        and callable(getattr(module, n, None))
        and (getattr(module, n).__module__ or "torch").startswith("torch")
        and not (n[0].isupper() and path in ("linalg", "fft", "special"))
    )


def modules():
    found = [getattr(torch.nn, n) for n in dir(torch.nn)]
    return sorted(
        {
            m.__name__
            for m in found
            if inspect.isclass(m) and issubclass(m, torch.nn.Module)
        }
    )


def schedules():
    found = vars(torch.optim.lr_scheduler).items()
    return sorted(
        n
        for n, f in found
        if inspect.isclass(f)
        and f.__module__ == "torch.optim.lr_scheduler"
        and n[0] != "_"
    )


def functional():
    names = dir(torch.nn.functional)
    found = [(n, getattr(torch.nn.functional, n)) for n in names if n[0].islower()]
    return [
        n
        for n, f in found
        if callable(f)
        and not inspect.isclass(f)
        and not inspect.ismodule(f)
        and not n.endswith("_")
        and n not in ("boolean_dispatch",)
    ]


def member(path):
    """Whether dotori has a name at this place."""

    def has(name):
        found = dotori
        for part in path.split(".") if path else []:
            found = getattr(found, part)
        return hasattr(found, name)

    return has


#: What is there only to say that it is not.
REFUSED = ("bfloat16",)


def has_method(name):
    return hasattr(EXAMPLE, name) and name not in REFUSED


def has_operator(name):
    if name in REFUSED:
        return False
    return resolve(f"{name}_" if name in FILLING else name) is not None


EXAMPLE = dotori.ones(1)

#: Title, PyTorch's names, and whether dotori has one.
LISTS = [
    ("Operators", operators, has_operator),
    ("Methods of tensors", methods, has_method),
    ("Functions of torch", functions, member("")),
    ("torch.linalg", lambda: public("linalg"), member("linalg")),
    ("torch.fft", lambda: public("fft"), member("fft")),
    ("torch.special", lambda: public("special"), member("special")),
    ("torch.nn.functional", functional, member("nn.functional")),
    ("Modules of torch.nn", modules, member("nn")),
    ("torch.optim", lambda: public("optim"), member("optim")),
    ("torch.optim.lr_scheduler", schedules, member("optim.lr_scheduler")),
    (
        "torch.optim.swa_utils",
        lambda: public("optim.swa_utils"),
        member("optim.swa_utils"),
    ),
]
