"""Products with X̃ = [X, bias·1]: against X̃ written out, and the same bits for any threads."""

import pickle
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from l1svc import L1LinearSVC, L1LinearSVCSearchCV, bootstrap
from l1svc.design import (
    BLOCK_ROWS,
    DTYPES,
    LANES,
    MAX_GRAM_COLUMNS,
    PRODUCT_ROWS,
    SPARSE_SHARE,
    Design,
    side_by_side,
)

BIAS = 0.5
FEATURES = 7


def results(design, rng, n_threads):
    """Every product of the design, of vectors drawn by ``rng``, and what it should be."""
    n, columns = design.shape[0], np.array([0, 2, 3, FEATURES])
    w, u = rng.normal(size=(2, FEATURES + 1)), rng.normal(size=(2, n))
    rows = np.flatnonzero(rng.random(n) < 0.8)
    sigma, y = -rng.choice([1.0, 2.0], size=n), rng.choice([-1.0, 1.0], size=n)
    few = np.where(rng.random(n) < 0.2, u[0], 0.0)
    G, r = np.zeros((4, 4)), np.zeros(4)
    with side_by_side(n_threads):
        design.add_gram(G, r, rows, columns, sigma, y)
        products = design.dot(w[0]), design.dot(w), design.dot(w[0], rows)
        transposed = design.transpose_dot(few), design.transpose_dot(u)
    full = np.column_stack([design.X.toarray() if sp.issparse(design.X) else design.X, np.ones(n)])
    full[:, -1] = BIAS
    part = full[rows][:, columns]
    expected = (
        (np.tril((part.T * sigma[rows]) @ part), part.T @ (sigma * y)[rows]),
        (full @ w[0], w @ full.T, full[rows] @ w[0]),
        (few @ full, u @ full),
    )
    return ((G, r), products, transposed), expected


@pytest.mark.parametrize(
    ("as_given", "dense_size"), [(np.asarray, 0), (sp.csr_matrix, 0), (sp.csr_matrix, 10**6)]
)
@pytest.mark.parametrize("share", [SPARSE_SHARE / 2, 1.0])
@pytest.mark.parametrize("n", [1, BLOCK_ROWS, BLOCK_ROWS + 1, 4 * LANES * BLOCK_ROWS + 5])
def test_products_are_those_of_the_matrix_in_the_same_bits_for_any_threads(
    n, share, as_given, dense_size, monkeypatch
):
    monkeypatch.setattr("l1svc.design.DENSE_SIZE", dense_size)
    rng = np.random.default_rng(n)
    X = rng.random((n, FEATURES)).round(1) * (rng.random((n, FEATURES)) < share)
    design = Design(as_given(X), BIAS)
    got, expected = results(design, np.random.default_rng(1), 1)
    for ours, theirs in zip(sum(got, ()), sum(expected, ()), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
    for n_threads in (2, 3):
        again, _ = results(design, np.random.default_rng(1), n_threads)
        for ours, theirs in zip(sum(again, ()), sum(got, ()), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_of_a_dense_matrix_the_entries_are_kept_where_few_are_not_zero():
    rng = np.random.default_rng(0)
    X = rng.random((3 * BLOCK_ROWS, FEATURES))
    assert Design(X, BIAS).entries is None
    X[rng.random(X.shape) > SPARSE_SHARE / 2] = 0.0
    design = Design(X, BIAS)
    np.testing.assert_array_equal(design.entries.toarray(), X)
    np.testing.assert_allclose(design.row_norms, np.sqrt((X**2).sum(axis=1) + BIAS**2))
    X[:, [1, 4]] = 0.0
    assert Design(X, BIAS).used.tolist() == [0, 2, 3, 5, 6, FEATURES]
    assert Design(X, 0.0).used.tolist() == [0, 2, 3, 5, 6]


def test_what_fails_in_a_thread_is_raised_and_leaves_no_threads_behind():
    design = Design(np.ones((LANES * BLOCK_ROWS, FEATURES)), BIAS)
    for _ in range(2):
        with pytest.raises(ValueError, match="mismatch"), side_by_side(2):
            design.dot(np.ones(FEATURES))
    np.testing.assert_array_equal(design.dot(np.ones(FEATURES + 1)), FEATURES + BIAS)


@pytest.mark.parametrize("as_given", [np.asarray, sp.csr_matrix])
def test_what_is_sent_elsewhere_holds_the_data_once(as_given):
    X = np.random.default_rng(0).random((4 * BLOCK_ROWS, 40))
    design = Design(as_given(X), BIAS)
    sent = pickle.dumps(design, protocol=5)
    given = design.X
    arrays = [given] if as_given is np.asarray else [given.data, given.indices, given.indptr]
    assert len(sent) < 1.05 * sum(array.nbytes for array in arrays)
    got = pickle.loads(sent)
    np.testing.assert_array_equal(got.dot(np.ones(41)), design.dot(np.ones(41)))
    if as_given is np.asarray:
        assert all(np.shares_memory(part, got.X) for part in got.parts)
    else:
        assert got.entries is got.X


@pytest.mark.parametrize("share", [0.1, 0.9])
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_x_of_another_dtype_is_used_as_it_is_and_gives_the_same_bits(tmp_path, dtype, share):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (3 * PRODUCT_ROWS, 30)) * (rng.random((3 * PRODUCT_ROWS, 30)) < share)
    y = np.where(
        X[:, :4].sum(axis=1) + 100 * rng.normal(size=len(X)) > X[:, :4].sum(1).mean(), 1, 0
    )
    file = np.memmap(tmp_path / "X", dtype=dtype, mode="w+", shape=X.shape)
    file[:] = X
    plain, mapped = Design(X.astype(float), BIAS), Design(np.asarray(file), BIAS)
    assert np.shares_memory(mapped.X, file)
    W, U = rng.normal(size=(2, 31)), rng.normal(size=(2, len(X)))
    U[:, rng.random(len(X)) < 0.7] = 0.0  # few rows count
    rows = np.flatnonzero(rng.random(len(X)) < 0.2)
    for got, expected in (
        (mapped.dot(W), plain.dot(W)),
        (mapped.dot(W[0], rows), plain.dot(W[0], rows)),
        (mapped.transpose_dot(U), plain.transpose_dot(U)),
        (mapped.transpose_dot(np.ones(len(X))), plain.transpose_dot(np.ones(len(X)))),
        (mapped.dense(rows, mapped.used), plain.dense(rows, plain.used)),
        (mapped.row_norms, plain.row_norms),
    ):
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == np.float64

    one, other = (
        L1LinearSVCSearchCV([1e-5, 1e-4], cv=3).fit(A, y) for A in (X.astype(float), file)
    )
    np.testing.assert_array_equal(one.best_estimator_.coef_, other.best_estimator_.coef_)
    ours, theirs = (bootstrap(A, y, 1e-4, 3) for A in (X.astype(float), file))
    np.testing.assert_array_equal(ours.coef, theirs.coef)


@pytest.mark.parametrize("dtype", DTYPES[1:])
def test_a_wide_or_sparse_x_of_another_dtype_is_made_float64(dtype):
    X = np.random.default_rng(0).integers(0, 3, (5, MAX_GRAM_COLUMNS + 1)).astype(dtype)
    for given in (X, sp.csr_matrix(X), sp.csr_matrix(X[:, :9])):
        assert Design(given, BIAS).X.dtype == np.float64


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_float64_copy_of_the_whole_is_made(dtype):
    X = np.random.default_rng(0).integers(1, 256, (20000, 60)).astype(dtype)
    y = (X[:, 0] > X[:, 1]).astype(int)
    tracemalloc.start()
    L1LinearSVC(1e-5).fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.6 * 8 * X.size
