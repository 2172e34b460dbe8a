"""Numbers of the specification, huge logits in float32, and types at the boundary."""

import numpy as np
import pytest

import dotori
import dotori.nn.functional as F

YHAT, Y = [0.9, 0.2, 0.1, 0.4, 0.9], [1.0, 0.0, 0.0, 1.0, 1.0]


def test_l1_and_l2_of_the_specification():
    yhat, y = np.array(YHAT), np.array(Y)
    assert F.l1_distance(yhat, y).item() == pytest.approx(1.1, rel=1e-15)
    assert F.l2_distance(yhat, y).item() == pytest.approx(0.43, rel=1e-15)


def test_l1_and_l2_are_taken_row_by_row():
    yhat, y = np.array([YHAT, Y]), np.array([Y, Y])
    np.testing.assert_allclose(F.l1_distance(yhat, y).array, [1.1, 0.0], rtol=1e-15)
    np.testing.assert_allclose(F.l2_distance(yhat, y).array, [0.43, 0.0], rtol=1e-15)


def test_gradients_of_l1_and_l2():
    yhat = dotori.tensor(np.array(YHAT), requires_grad=True)
    F.l1_distance(yhat, np.array(Y)).backward()
    assert yhat.grad.tolist() == [-1.0, 1.0, 1.0, -1.0, -1.0]
    yhat.grad = None
    F.l2_distance(yhat, np.array(Y)).backward()
    np.testing.assert_allclose(yhat.grad.array, [-0.2, 0.4, 0.2, -1.2, -0.2])


def test_normalize_of_the_specification():
    y = F.normalize(np.array([[0.0, 3, 4], [1, 6, 4]]))
    np.testing.assert_allclose(
        y.array, [[0, 0.6, 0.8], [0.13736056, 0.82416338, 0.54944226]], atol=5e-9
    )


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, np.inf])
def test_a_zero_row_stays_zero_with_a_finite_gradient(p):
    x = dotori.tensor(np.array([[0.0, 0, 0], [3, 0, 4]]), requires_grad=True)
    y = F.normalize(x, p)
    assert y.array[0].tolist() == [0.0, 0.0, 0.0]
    y[1].sum().backward()
    assert np.isfinite(x.grad.array).all()
    assert x.grad.array[0].tolist() == [0.0, 0.0, 0.0]


def test_the_distance_of_equal_vectors_has_a_finite_gradient():
    x = dotori.tensor(np.ones((1, 3)), requires_grad=True)
    F.pairwise_distance(x, np.ones((1, 3)), eps=0.0).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0, 0.0]]


HUGE = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [0.0, 0.0, 0.0]], np.float32)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (
            lambda x: F.cross_entropy(x, [1, 0, 2]),
            (2e4 + 2e4 + np.log(2) + np.log(3)) / 3,
        ),
        (
            lambda x: F.cross_entropy(x, [1, 0, 2], label_smoothing=0.3),
            # ours to write down: 0.7 hard + 0.1 (sum over classes) for each row
            np.mean(
                [
                    0.7 * 2e4 + 0.1 * 3e4,
                    0.7 * (2e4 + np.log(2)) + 0.1 * (2e4 + 3 * np.log(2)),
                    np.log(3),
                ]
            ),
        ),
        (
            lambda x: F.nll_loss(F.log_softmax(x, 1), [0, 1, 0]),
            (np.log(2) + np.log(3)) / 3,
        ),
        (
            lambda x: F.binary_cross_entropy_with_logits(
                x, np.ones((3, 3), np.float32)
            ),
            (2e4 + 4 * np.log(2)) / 9,
        ),
        (
            lambda x: F.binary_cross_entropy_with_logits(
                x, np.ones((3, 3), np.float32), pos_weight=[2.0, 2.0, 2.0]
            ),
            2 * (2e4 + 4 * np.log(2)) / 9,
        ),
        (lambda x: F.soft_margin_loss(x, -np.ones((3, 3))), (3e4 + 4 * np.log(2)) / 9),
        (
            lambda x: F.multilabel_soft_margin_loss(x, np.zeros((3, 3))),
            (3e4 + 4 * np.log(2)) / 9,
        ),
    ],
    ids=["ce", "ce-smooth", "nll", "bce", "bce-pos", "soft-margin", "multilabel"],
)
def test_huge_logits_in_float32(loss, expected):
    x = dotori.tensor(HUGE, requires_grad=True)
    with np.errstate(all="raise", under="ignore"):
        y = loss(x)
        y.backward()
    assert y.dtype == np.float32
    assert y.item() == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(x.grad.array).all()


def test_soft_targets_keep_their_gradient_at_huge_logits():
    x = dotori.tensor(np.array([-1e4, 1e4], np.float32), requires_grad=True)
    t = np.full(2, 0.7, np.float32)
    F.binary_cross_entropy_with_logits(x, t, reduction="sum").backward()
    np.testing.assert_allclose(x.grad.array, [-0.7, 0.3], rtol=1e-6)


def test_masked_logits_do_not_disturb_the_other_classes():
    x = dotori.tensor([[0.0, 0.0, -np.inf]], requires_grad=True)
    loss = F.cross_entropy(x, [0])
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    assert x.grad.tolist() == [[-0.5, 0.5, 0.0]]


def test_gradient_of_cross_entropy_by_hand():
    x = dotori.tensor(np.array([[1.0, 2.0, 0.5]]), requires_grad=True)
    F.cross_entropy(x, [1]).backward()
    p = np.exp(x.array) / np.exp(x.array).sum()
    np.testing.assert_allclose(x.grad.array, p - [[0, 1, 0]], rtol=1e-14)


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"])
def test_labels_of_every_integer_type(kind):
    x = dotori.tensor([[2.0, 0.0], [0.0, 3.0]])
    expected = F.cross_entropy(x, np.array([0, 1]))
    assert F.cross_entropy(x, np.array([0, 1], kind)).item() == expected.item()


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "huber_loss", "binary_cross_entropy_with_logits"]
)
@pytest.mark.parametrize("kind", ["f8", "f2", "i8", "?"])
def test_a_target_of_another_type_does_not_change_the_loss_type(name, kind):
    x = dotori.tensor([0.5, 1.5], requires_grad=True)
    loss = getattr(F, name)(x, np.array([0, 1], kind))
    loss.backward()
    assert loss.dtype == np.float32
    assert x.grad.dtype == np.float32
    expected = getattr(F, name)(x, np.array([0, 1], "f4"))
    assert loss.item() == expected.item()


def test_a_number_does_not_widen_a_reduced_loss():
    x = dotori.tensor([0.5, 1.5], requires_grad=True)
    for reduction in ("mean", "sum"):
        loss = F.l1_loss(x, [0.0, 1.0], reduction=reduction)
        assert (loss * 0.5 + 1).dtype == np.float32


def test_mean_of_nothing_is_nan_as_in_torch():
    assert np.isnan(F.mse_loss(np.zeros((0, 2)), np.zeros((0, 2))).item())


def test_labels_with_strides():
    labels = np.array([[0, 9], [1, 9]])[:, 0]
    x = dotori.tensor([[2.0, 0.0], [0.0, 3.0]])
    assert F.cross_entropy(x, labels).item() == F.cross_entropy(x, [0, 1]).item()


def test_penalties():
    w = dotori.tensor(np.array([3.0, -4.0]), requires_grad=True)
    b = dotori.tensor(np.array([0.5]), requires_grad=True)
    (F.l1_penalty([w, b]) * 10 + F.l2_penalty([w, b])).backward()
    assert w.grad.tolist() == [16.0, -18.0]
    assert b.grad.tolist() == [11.0]
    assert F.l1_penalty([w, b]).item() == 7.5
    assert F.l2_penalty(iter([w, b])).item() == 25.25
