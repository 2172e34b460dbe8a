"""What of PyTorch's list of modules is not compared, or not wholly, and why."""

#: Random values: only shapes and types can be compared.
FREE: set[str] = set()

#: Relative and absolute tolerance in float64 where 1e-7 is not within reach.
TOLERANCE: dict[str, tuple[float, float]] = {}

#: Gradients that are not compared: name and reason.
WITHOUT_GRADIENT: dict[str, str] = {
    "CTCLoss": "PyTorch's holds behind log_softmax only; compared there",
}

#: Gradients of gradients that are not compared: name and reason.
FIRST_ORDER_ONLY: dict[str, str] = {
    "MultiLabelMarginLoss": "PyTorch has none",
    "MultiMarginLoss": "PyTorch has none",
}

#: How many times PyTorch's own error is allowed in float32, and why.
LESS_PRECISE: dict[str, tuple[float, str]] = {}

#: Other texts of `repr`: name and reason.
REPR: dict[str, str] = {
    "LinearCrossEntropyLoss": "PyTorch's names what the layer inside says again",
}

#: Samples that are refused on purpose: a part of the message.
DELIBERATE: dict[str, str] = {
    "GaussianNLLLoss": "they must be equal",
}

#: What PyTorch refuses and dotori takes: name, a part of PyTorch's message, and why.
ACCEPTED: dict[str, tuple[str, str]] = {
    "NLLLoss": ("expected scalar type", "weights of another float type are cast"),
    **dict.fromkeys(
        ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
        ("eps must be positive", "0 is exact where no channel is constant"),
    ),
    **dict.fromkeys(
        ("GRU", "LSTM", "RNN"),
        ("does not match weight dtype", "inputs of another float type are cast"),
    ),
}
