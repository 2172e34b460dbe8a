"""What losses say when they are given what they cannot mean, word for word."""

import warnings

import numpy as np
import pytest

import dotori
import dotori.nn.functional as F
from dotori.errors import ArgumentError, DTypeError, ShapeError
from dotori.nn.functional.hints import HintWarning

LOGITS = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0]])

ERRORS = [
    (
        lambda: F.mse_loss(np.zeros((32, 1)), np.zeros(32)),
        ShapeError,
        (
            "mse_loss: the prediction has shape (32, 1), but the target (32,); they "
            "must be equal, or every prediction would be compared with every target; "
            "use target.reshape(-1, 1), or prediction.squeeze(-1)"
        ),
    ),
    (
        lambda: F.l1_loss(np.zeros(32), np.zeros((32, 1))),
        ShapeError,
        (
            "l1_loss: the prediction has shape (32,), but the target (32, 1); they "
            "must be equal, or every prediction would be compared with every target; "
            "use target.squeeze(-1), or prediction.reshape(-1, 1)"
        ),
    ),
    (
        lambda: F.mse_loss(np.zeros((2, 3)), np.zeros(3)),
        ShapeError,
        (
            "mse_loss: the prediction has shape (2, 3), but the target (3,); they must "
            "be equal"
        ),
    ),
    (
        lambda: F.mse_loss([0.0], [0.0], reduction="average"),
        ArgumentError,
        "mse_loss: reduction must be 'mean', 'sum' or 'none', got 'average'",
    ),
    (
        lambda: F.mse_loss([0.0, 1.0], [0.0, 1.0], weight=[1.0]),
        ShapeError,
        "mse_loss: weight has shape (1,), the prediction (2,); they must be equal",
    ),
    (
        lambda: F.cross_entropy(LOGITS, [0, 5]),
        ArgumentError,
        "cross_entropy: the label 5 at 1 is not one of the 3 classes 0, ..., 2",
    ),
    (
        lambda: F.cross_entropy(LOGITS, [-1, 0]),
        ArgumentError,
        "cross_entropy: the label -1 at 0 is not one of the 3 classes 0, ..., 2",
    ),
    (
        lambda: F.cross_entropy(LOGITS, [1, 3]),
        ArgumentError,
        (
            "cross_entropy: the label 3 at 1 is not one of the 3 classes 0, ..., 2; "
            "the labels seem to start at 1: use target - 1"
        ),
    ),
    (
        lambda: F.cross_entropy(np.zeros((1, 3, 2)), [[0, 7]]),
        ArgumentError,
        "cross_entropy: the label 7 at (0, 1) is not one of the 3 classes 0, ..., 2",
    ),
    (
        lambda: F.cross_entropy(LOGITS, np.array([0.5, 1.0])),
        DTypeError,
        (
            "cross_entropy: float labels must be whole numbers, found 0.5; give "
            "classes as integers, or probabilities for the 3 classes in the shape "
            "of the logits, (2, 3)"
        ),
    ),
    (
        lambda: F.cross_entropy(LOGITS, np.array([np.nan, 1.0])),
        DTypeError,
        (
            "cross_entropy: float labels must be whole numbers, found nan; give "
            "classes as integers, or probabilities for the 3 classes in the shape "
            "of the logits, (2, 3)"
        ),
    ),
    (
        lambda: F.cross_entropy(LOGITS, [[0], [1]]),
        ShapeError,
        (
            "cross_entropy: logits of shape (2, 3) have 3 classes along axis 1 and "
            "want labels of shape (2,), got (2, 1); use target.squeeze(1)"
        ),
    ),
    (
        lambda: F.cross_entropy(LOGITS, [[1, 0, 0], [0, 1, 0]]),
        ShapeError,
        (
            "cross_entropy: logits of shape (2, 3) have 3 classes along axis 1 and "
            "want labels of shape (2,), got (2, 3); if they are one-hot, use "
            "target.argmax(1), or target.float() to have them taken for probabilities"
        ),
    ),
    (
        lambda: F.cross_entropy(LOGITS, [0, 1], weight=[1.0, 2.0]),
        ShapeError,
        (
            "cross_entropy: weight has shape (2,), but there are 3 classes: it must be "
            "(3,)"
        ),
    ),
    (
        lambda: F.cross_entropy(LOGITS, [0, 1], label_smoothing=1.5),
        ArgumentError,
        "cross_entropy: label_smoothing must be from 0 to 1, got 1.5",
    ),
    (
        lambda: F.binary_cross_entropy([0.5, 3.25], [0.0, 1.0]),
        ArgumentError,
        (
            "binary_cross_entropy: every prediction must be from 0 to 1, found 3.25 at "
            "(1,); for logits use binary_cross_entropy_with_logits"
        ),
    ),
    (
        lambda: F.binary_cross_entropy([0.5, 0.25], [0.0, 2.0]),
        ArgumentError,
        "binary_cross_entropy: every target must be from 0 to 1, found 2 at (1,)",
    ),
    (
        lambda: F.huber_loss([0.0], [0.0], delta=0.0),
        ArgumentError,
        "huber_loss: delta must be greater than 0, got 0.0",
    ),
    (
        lambda: F.gaussian_nll_loss([0.0], [0.0], [-1.0]),
        ArgumentError,
        "gaussian_nll_loss: var holds negative numbers",
    ),
    (
        lambda: F.one_hot([0, 4], 3),
        ArgumentError,
        (
            "one_hot: classes go from 0 to 4, which does not fit into the 3 classes "
            "0, ..., 2"
        ),
    ),
    (
        lambda: F.one_hot([0.0]),
        DTypeError,
        "one_hot: classes must be integers, got float32",
    ),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS)
def test_errors(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def given_once(call):
    """The one hint that `call` gives, at first and never again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
        call()
    assert [w.category for w in caught] == [HintWarning]
    return str(caught[0].message)


PROBABILITIES = (
    "cross_entropy: the input looks like the output of softmax, but logits are wanted: "
    "softmax is part of this loss; leave it out of the model, or use "
    "nll_loss(log(p), target)"
)


def test_softmax_before_cross_entropy():
    x = dotori.tensor(LOGITS, requires_grad=True)
    assert given_once(lambda: F.cross_entropy(F.softmax(x, 1), [0, 1])) == PROBABILITIES


def test_probabilities_without_a_graph_before_cross_entropy():
    p = np.array([[0.25, 0.75], [0.5, 0.5]])
    assert given_once(lambda: F.cross_entropy(p, [0, 1])) == PROBABILITIES


@pytest.mark.parametrize(
    "logits", [[[0.25, 0.5], [0.5, 0.5]], [[-0.5, 1.5], [0.5, 0.5]], [[1.0], [1.0]]]
)
def test_no_hint_for_logits(logits):
    F.cross_entropy(np.array(logits), [0, 0])


def test_sigmoid_before_the_loss_of_logits():
    x = dotori.tensor(LOGITS, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits
    assert given_once(lambda: loss(F.sigmoid(x), np.zeros((2, 3)))) == (
        "binary_cross_entropy_with_logits: the input comes from sigmoid, but logits "
        "are wanted: sigmoid is part of this loss; leave it out of the model, or use "
        "binary_cross_entropy"
    )


def test_float_labels_that_are_whole_are_accepted():
    labels = np.array([0.0, 1.0])
    assert given_once(lambda: F.cross_entropy(LOGITS, labels)) == (
        "cross_entropy: the labels are float64; they are whole numbers and are taken "
        "for classes; convert them once with target.long()"
    )
    expected = F.cross_entropy(LOGITS, [0, 1]).item()
    assert F.cross_entropy(LOGITS, labels).item() == expected


def test_nan_in_the_target_is_pointed_out():
    target = np.array([[1.0, 2.0], [np.nan, 4.0]])
    loss = F.mse_loss
    assert given_once(lambda: loss(np.zeros((2, 2)), target)) == (
        "mse_loss: the target holds NaN, first at (1, 0), so the loss is NaN; "
        "drop or fill the missing targets"
    )
    assert np.isnan(loss(np.zeros((2, 2)), target).item())


def test_nan_of_the_prediction_is_not_blamed_on_the_target():
    assert np.isnan(F.mse_loss([np.nan], [1.0]).item())
