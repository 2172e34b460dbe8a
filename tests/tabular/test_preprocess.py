"""The preprocessor: strange frames, scikit-learn's own transformers, and the file."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dotori.data.scaling import Scaling
from dotori.data.schema import infer_schema
from dotori.data.table import Column, Table
from dotori.errors import ArgumentError, DataError, FormatError
from dotori.tabular.encoders import Surprises
from dotori.tabular.preprocess import Preprocessor


def fit(data, scale="none", *, categorical=(), max_categories=50, **options):
    table = Table.from_frame(data)
    schema = infer_schema(table, categorical=categorical, max_categories=max_categories)
    return Preprocessor.fit(table, schema, scale, **options)


def matrix(preprocessor, data, surprises=None):
    result = preprocessor.transform(Table.from_frame(data), surprises)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    return result.tolist()


def test_numbers_without_gaps():
    preprocessor = fit({"a": [1, 3], "b": [0.5, 1.5]}, "standard")
    assert preprocessor.feature_names_out == ["a", "b"]
    assert matrix(preprocessor, {"b": [1.0], "a": [5]}) == [[3.0, 0.0]]


def test_gaps_take_the_median_and_an_indicator():
    preprocessor = fit({"a": [1.0, None, 2.0, 9.0]})
    assert preprocessor.feature_names_out == ["a", "a missing"]
    assert matrix(preprocessor, {"a": [None, 4.0]}) == [[2.0, 1.0], [4.0, 0.0]]


def test_gaps_that_the_training_did_not_see_are_filled_and_counted():
    surprises = Surprises()
    preprocessor = fit(
        {"a": [1.0, 3.0, 5.0], "d": [datetime.date(2020, m, 1) for m in (1, 2, 3)]}
    )
    later = {"a": [None, None, 1.0], "d": [None, None, None]}
    assert matrix(preprocessor, later, surprises) == [[3, 2, 5], [3, 2, 5], [1, 2, 5]]
    assert surprises.filled == {"a": 2, "d": 3}
    assert "column 'a': 2 gaps, of which the training saw none" in surprises.notes()[0]


def test_a_column_without_any_value_later_on():
    """Lists of None, or an empty CSV column, have no kind of their own."""
    preprocessor = fit({"n": [1.0, 2.0], "t": ["x", "y"], "b": [True, False]})
    gaps = {"n": [None], "t": [None], "b": [None]}
    assert matrix(preprocessor, gaps) == [[1.5, 0, 0, 1, 0.5]]


def test_categories_unseen_and_missing():
    preprocessor = fit({"c": ["b", "a", None, "b"]})
    assert preprocessor.feature_names_out == ["c=a", "c=b", "c other", "c missing"]
    surprises = Surprises()
    rows = matrix(preprocessor, {"c": ["a", "z", None, "b", "y"]}, surprises)
    assert rows == [
        [1, 0, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
    ]
    assert surprises.unseen == {"c": 2}
    assert "column 'c': 2 values that the training did not see" in surprises.notes()[0]


def test_missing_categories_that_the_training_did_not_see():
    surprises = Surprises()
    preprocessor = fit({"c": ["b", "a"]})
    assert matrix(preprocessor, {"c": [None]}, surprises) == [[0, 0, 1]]
    assert surprises.unseen == {"c": 1}


def test_many_categories_are_capped():
    data = {"c": ["a"] * 3 + ["b"] * 2 + ["c"] * 4 + ["d"]}
    preprocessor = fit(data, max_categories=2)
    assert preprocessor.feature_names_out == ["c=a", "c=c", "c other"]
    assert matrix(preprocessor, {"c": ["b", "c"]}) == [[0, 0, 1], [0, 1, 0]]


def test_a_category_seen_once_trains_the_place_of_the_unseen():
    preprocessor = fit({"c": ["a", "b"] * 30 + ["rare"]})
    assert preprocessor.feature_names_out == ["c=a", "c=b", "c other"]
    assert matrix(preprocessor, {"c": ["rare"]}) == [[0, 0, 1]]


def test_numbers_that_are_names():
    preprocessor = fit({"c": [3, 10, 3]}, categorical=["c"])
    assert preprocessor.feature_names_out == ["c=10", "c=3", "c other"]
    assert matrix(preprocessor, {"c": [3.0, 4.0]}) == [[0, 1, 0], [0, 0, 1]]


def test_booleans_are_numbers():
    preprocessor = fit({"b": [True, False, None, True]})
    assert preprocessor.feature_names_out == ["b", "b missing"]
    assert matrix(preprocessor, {"b": [True, None]}) == [[1, 0], [1, 1]]
    assert matrix(preprocessor, {"b": [0, 1]}) == [[0, 0], [1, 0]]
    assert matrix(fit({"n": [0, 1, 5]}), {"n": [True, False]}) == [[1], [0]]


def test_parts_of_dates():
    days = [datetime.datetime(2023, 12, 31, 5), datetime.datetime(2024, 2, 29, 5)]
    preprocessor = fit({"d": [*days, None]})
    parts = ["year", "month", "day", "weekday"]  # the hour does not vary
    assert preprocessor.feature_names_out == [f"d {p}" for p in (*parts, "missing")]
    assert matrix(preprocessor, {"d": [days[0], None]}) == [
        [2023, 12, 31, 6, 0],
        [2024, 2, 29, 3, 1],
    ]


def test_parts_of_dates_as_pandas_has_them():
    pd = pytest.importorskip("pandas", reason="the reference for parts of dates")
    rng = np.random.default_rng(0)
    times = rng.integers(-(10**15), 4 * 10**15, 500).astype("datetime64[us]")
    result = np.array(matrix(fit({"d": times}), {"d": times}))
    index = pd.DatetimeIndex(times)
    parts = (index.year, index.month, index.day, index.day_of_week, index.hour)
    np.testing.assert_array_equal(result, np.column_stack(parts))


def test_cyclic_dates():
    days = [datetime.date(2024, 1, 1), datetime.date(2024, 7, 1)]
    preprocessor = fit({"d": days}, cyclic_dates=True)
    assert preprocessor.feature_names_out == ["d month sine", "d month cosine"]
    np.testing.assert_allclose(
        matrix(preprocessor, {"d": days}), [[0, 1], [0, -1]], atol=1e-7
    )


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_columns_that_do_not_vary_in_training(scale):
    """The schema saw two values; the training split has one: 0, never NaN."""
    whole = Table.from_frame({"a": [0.1, 0.1, 0.1, 7.0], "b": [1, 2, 3, 4]})
    preprocessor = Preprocessor.fit(whole.slice(0, 3), infer_schema(whole), scale)
    column = preprocessor.transform(whole.slice(0, 3))[:, 0]
    assert column.tolist() == [np.float32(0.1)] * 3 if scale == "none" else [0.0] * 3


def test_a_training_split_of_one_row():
    whole = Table.from_frame({"a": [1.0, 2.0], "c": ["x", "y"]})
    preprocessor = Preprocessor.fit(whole.slice(0, 1), infer_schema(whole))
    assert preprocessor.transform(whole).tolist() == [[0, 1, 0], [1, 0, 1]]


def test_a_training_split_in_which_all_values_are_missing():
    whole = Table.from_frame({"a": [None, None, 2.0], "c": [None, None, "y"]})
    preprocessor = Preprocessor.fit(whole.slice(0, 2), infer_schema(whole))
    assert preprocessor.feature_names_out == [
        "a",
        "a missing",
        "c other",
        "c missing",
    ]
    assert preprocessor.transform(whole).tolist() == [
        [0, 1, 0, 1],
        [0, 1, 0, 1],
        [2, 0, 1, 0],
    ]


def test_no_rows():
    whole = Table.from_frame({"a": [1.0, 2.0], "c": ["x", "y"]})
    schema = infer_schema(whole)
    with pytest.raises(DataError, match="no rows"):
        Preprocessor.fit(whole.slice(0, 0), schema)
    assert Preprocessor.fit(whole, schema).transform(whole.slice(0, 0)).shape == (0, 4)


def test_huge_offsets_keep_their_digits():
    values = 1e9 + np.array([0.0, 1.0, 2.0, 3.0])
    scaled = np.array(matrix(fit({"a": values}, "standard"), {"a": values}))[:, 0]
    np.testing.assert_allclose(scaled, (np.arange(4) - 1.5) / np.sqrt(1.25), rtol=1e-6)


def test_huge_and_tiny_numbers_stay_finite():
    values = np.array([-4e307, 4e307, 0.0])
    for scale in ("standard", "minmax"):
        matrix(fit({"a": values}, scale), {"a": values})
        matrix(fit({"a": values * 0 + [5e-324, 0, 1e-323]}, scale), {"a": [0.0]})


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ({"b": ["x"]}, r"lacks the column 'a'; .* trained on 'a', 'b', 'd'"),
        ({}, r"lacks the columns 'a', 'b', 'd'"),
        ({"a": ["x"]}, r"'a' holds text \('x' in row 1\), but .* trained on numbers"),
        ({"b": [1]}, r"'b' holds numbers \(1 in row 1\), but .* trained on text"),
        ({"d": ["2020"]}, r"'d' holds text \('2020' in row 1\).*trained on dates"),
        ({"d": [20200101]}, r"'d' holds numbers.*trained on dates"),
        ({"a": [datetime.date(2020, 1, 1)]}, r"'a' holds dates.*trained on numbers"),
        ({"a": [np.inf]}, r"column 'a', row 1: the value is infinite"),
        ({"a": [1e300]}, r"column 'a', row 1: the value 1e\+300 is too far"),
    ],
)
def test_tables_that_do_not_fit(later, message):
    day = datetime.date(2020, 1, 1)
    train = {"a": [1.0, 2.0], "b": ["x", "y"], "d": [day, day.replace(year=2021)]}
    preprocessor = fit(train, "standard")
    data = {**{k: v[:1] for k, v in train.items()}, **later} if later else {"z": [1]}
    if later == {"b": ["x"]}:
        data.pop("a")
    with pytest.raises(DataError, match=message):
        matrix(preprocessor, data)


def test_the_row_of_a_later_piece_is_that_of_the_file():
    preprocessor = fit({"a": [1.0, 2.0]})
    table = Table.from_frame({"a": [0.0] * 10 + [np.inf]})
    with pytest.raises(DataError, match="row 11: the value is infinite"):
        preprocessor.transform(table.slice(8))


def test_extra_columns_and_another_order_change_nothing():
    train = {"a": [1.0, 2.0], "b": ["x", "y"]}
    preprocessor = fit(train)
    mixed = {"more": [[], []] if False else [0, 0], "b": ["x", "y"], "a": [1.0, 2.0]}
    assert matrix(preprocessor, mixed) == matrix(preprocessor, train)


def test_an_unknown_scale():
    with pytest.raises(ArgumentError, match="'standard', 'minmax' or 'none'"):
        fit({"a": [1, 2]}, "robust")


MIXED = {
    "n": [1.5, None, 7.25, 2.5, -3.0],
    "whole": [1, 2, 3, 4, 6],
    "c": ["x", None, "y", "x", "x"],
    "b": [True, False, None, True, True],
}


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_the_inverse(scale):
    preprocessor = fit(MIXED, scale)
    table = Table.from_frame(MIXED)
    back = preprocessor.inverse_transform(preprocessor.transform(table))
    assert back["c"].to_list() == MIXED["c"]
    assert back["b"].to_list() == MIXED["b"]
    for name in ("n", "whole"):
        np.testing.assert_allclose(
            back[name].as_float(), table[name].as_float(), rtol=1e-6
        )
    with pytest.raises(DataError, match=r"shape \(n, 9\) was wanted, got \(1, 2\)"):
        preprocessor.inverse_transform(np.zeros((1, 2)))


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_as_scikit_learn(scale):
    """Fill, scale and encode as its transformers do, on 300 rows with gaps."""
    pytest.importorskip("sklearn", reason="the reference for preprocessing")
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

    rng = np.random.default_rng(1)
    numbers = rng.normal(5, 20, (300, 3))
    numbers[rng.random((300, 3)) < 0.1] = np.nan
    words = rng.choice(["a", "b", "c", "rare"], 300, p=[0.5, 0.3, 0.19, 0.01])
    later = rng.choice(["a", "c", "new"], 50)

    columns = {f"x{i}": numbers[:, i] for i in range(3)} | {"w": words}
    preprocessor = fit(columns, scale)
    ours = np.array(matrix(preprocessor, columns))

    imputed = SimpleImputer(strategy="median").fit_transform(numbers)
    scaler = StandardScaler() if scale == "standard" else MinMaxScaler()
    scaled = scaler.fit_transform(imputed)
    expected = np.empty((300, 6))
    expected[:, ::2], expected[:, 1::2] = scaled, np.isnan(numbers)
    np.testing.assert_allclose(ours[:, :6], expected, rtol=1e-5, atol=1e-6)

    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=2, sparse_output=False
    )
    encoder.fit(np.append(words, "once")[:, None])
    k = len(preprocessor.feature_names_out) - 6 - 1
    seen = encoder.transform(words[:, None])[:, :k]
    np.testing.assert_array_equal(ours[:, 6 : 6 + k], seen)
    unseen = {f"x{i}": np.zeros(50) for i in range(3)} | {"w": later}
    new = np.array(matrix(preprocessor, unseen))[:, 6:]
    np.testing.assert_array_equal(new, encoder.transform(later[:, None]))


def test_large_tables_go_in_blocks():
    rng = np.random.default_rng(0)
    data = {"n": rng.normal(size=150_000), "c": rng.choice(["a", "b"], 150_000)}
    preprocessor = fit(data, "standard")
    table = Table.from_frame(data)
    whole = preprocessor.transform(table)
    pieces = [
        preprocessor.transform(table.slice(i, i + 40_000))
        for i in range(0, 150_000, 40_000)
    ]
    np.testing.assert_array_equal(whole, np.concatenate(pieces))
    assert abs(whole[:, 0].mean()) < 1e-4


def test_the_training_frame_is_not_changed():
    values = np.array([1.0, np.nan, 3.0])
    before = values.copy()
    matrix(fit({"a": values}, "standard"), {"a": values})
    np.testing.assert_array_equal(values, before)


def test_through_the_model_file():
    day = datetime.datetime(2024, 2, 29, 13)
    data = {**MIXED, "d": [day.replace(year=2020 + 4 * i) for i in range(5)]}
    preprocessor = fit(data, "standard", cyclic_dates=True)
    arrays, document = preprocessor.to_state()
    document = json.loads(json.dumps(document, allow_nan=False))
    again = Preprocessor.from_state(arrays, document)
    assert again.feature_names_out == preprocessor.feature_names_out
    assert again.schema == preprocessor.schema
    assert again.column_types == Table.from_frame(data).kinds
    assert matrix(again, data) == matrix(preprocessor, data)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a, d: a.pop("shift"),
        lambda a, d: a.update(shift=np.zeros(1)),
        lambda a, d: a.update(factor=a["factor"] * np.nan),
        lambda a, d: a.update(factor=a["factor"] * 0),
        lambda a, d: d.pop("encoders"),
        lambda a, d: d["encoders"][0].pop("fill"),
        lambda a, d: d["encoders"][0].update(kind="colour"),
        lambda a, d: d["encoders"][0].update(more=1),
        lambda a, d: d["encoders"][0].update(fill="x"),
        lambda a, d: d["encoders"][2].update(labels=None),
        lambda a, d: d["encoders"].append(None),
        lambda a, d: d["schema"]["features"][0].update(role="spy"),
        lambda a, d: d.update(schema=[]),
    ],
)
def test_states_that_are_none(spoil):
    arrays, document = fit(MIXED).to_state()
    spoil(arrays, document)
    with pytest.raises(FormatError, match=r"not a (preprocessor|schema) of dotori"):
        Preprocessor.from_state(arrays, document)


_CELLS = {
    "number": st.none() | st.floats(-1e30, 1e30, allow_nan=False),
    "text": st.none() | st.text(max_size=3),
    "boolean": st.none() | st.booleans(),
    "datetime": st.none() | st.datetimes(),
}


@st.composite
def _tables(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(_CELLS)), min_size=1, max_size=4))

    def rows(n):
        return {
            f"{i}": draw(st.lists(_CELLS[kind], min_size=n, max_size=n))
            for i, kind in enumerate(kinds)
        }

    return rows(draw(st.integers(1, 8))), rows(draw(st.integers(0, 5)))


@given(_tables(), st.sampled_from(["standard", "minmax", "none"]), st.booleans())
def test_whatever_the_table_the_matrix_is_finite_or_the_error_documented(
    tables, scale, cyclic
):
    train, later = tables
    try:
        preprocessor = fit(train, scale, cyclic_dates=cyclic)
    except DataError as error:
        assert "no column of the table can be used" in str(error)
        return
    for data in (train, later):
        try:
            result = np.array(matrix(preprocessor, data))
        except DataError as error:
            assert "too far from those of the training" in str(error)
        else:
            assert len(result) == len(next(iter(data.values())))


def test_scaling_rejects_columns_of_another_kind():
    with pytest.raises(DataError, match="cannot be taken as numbers"):
        Column("text", np.zeros(1, np.int32), categories=["a"]).as_float()
    assert Scaling.none(np.zeros((2, 3))).factor.tolist() == [1, 1, 1]
