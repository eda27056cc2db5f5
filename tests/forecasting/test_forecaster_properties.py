"""What must hold of any forecast by the default recipe: two crossed keys, young leaves, short histories."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.arrays import Floats, Ints
from forecasting.forecast import Forecast
from forecasting.forecaster import fit
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.recipes import default_recipe

PROBABILITIES = (0.05, 0.5, 0.95)
LEVELS = [(), ("o",), ("m",), ("o", "m")]


@dataclass(frozen=True, eq=False)
class Book:
    """Leaves of two crossed keys in any order: names, demand (leaves, months) and births (leaves,)."""

    names: list[tuple[str, str]]
    quantity: Floats
    born: Ints

    @classmethod
    def drawn(cls, seed: int, organizations: int, materials: int, months: int) -> "Book":
        """Seasonal demand with gaps and returns; a quarter of the pairs do not exist, a third are young."""
        random = np.random.default_rng(seed)
        pairs = [(f"o{o}", f"m{m:02d}") for o in range(organizations) for m in range(materials)]
        kept = [pair for at, pair in enumerate(pairs) if at == 0 or random.random() < 0.75]
        shape = (len(kept), months)
        season = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(months) + random.integers(12)) / 12)
        quantity = random.lognormal(3, 1, (len(kept), 1)) * season * random.gamma(5, 0.2, shape)
        quantity *= random.random(shape) < random.uniform(0.3, 1.2, (len(kept), 1))
        quantity[random.random(shape) < 0.01] *= -1
        young = random.random(len(kept)) < 1 / 3
        born = np.where(young, random.integers(0, months, len(kept)), 0)
        quantity[np.arange(months) < born[:, None]] = 0.0
        return cls(kept, np.round(quantity, 3), born)

    def forecast(self) -> Forecast:
        keys = pl.DataFrame(self.names, schema=["o", "m"], orient="row")
        hierarchy = Hierarchy.of(["o", "m"], LEVELS, keys)
        row = hierarchy.leaves.join(keys.with_row_index("row"), on=["o", "m"], maintain_order="left")["row"]
        rows = row.to_numpy()
        panel = DemandPanel(hierarchy, Month(2020, 4), self.quantity[rows], self.born[rows])
        return fit(default_recipe(), panel, 6).forecast(PROBABILITIES)


BOOKS = st.builds(
    Book.drawn, st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 5), st.integers(2, 70)
)
# Where trees grow at the leaves, which takes fifty of them, and only some leaves teach smoothing.
LARGE = Book.drawn(7, 6, 30, 40)


def test_the_large_book_is_large() -> None:
    assert len(LARGE.names) > 128


@settings(max_examples=15)
@given(BOOKS)
def test_coherent_nonnegative_and_ordered(book: Book) -> None:
    made = book.forecast()
    assert made.incoherence() < 1e-9
    assert (made.mean >= 0).all()
    assert (made.quantiles >= 0).all()
    assert (np.diff(made.quantiles, axis=0) >= 0).all()


def check_unit(book: Book) -> None:
    small = book.forecast()
    large = Book(book.names, 1000 * book.quantity, book.born).forecast()
    close = 1e-6 * max(small.quantiles.max(), small.mean.max())
    np.testing.assert_allclose(large.mean / 1000, small.mean, rtol=1e-6, atol=close)
    np.testing.assert_allclose(large.quantiles / 1000, small.quantiles, rtol=1e-6, atol=close)


@settings(max_examples=8)
@given(BOOKS)
def test_a_thousand_times_the_demand_is_a_thousand_times_the_forecast(book: Book) -> None:
    check_unit(book)


def test_a_thousand_times_the_demand_with_trees() -> None:
    check_unit(LARGE)


def check_order(book: Book) -> None:
    order = np.random.default_rng(1).permutation(len(book.names))
    other = Book([book.names[at] for at in order], book.quantity[order], book.born[order]).forecast()
    straight = book.forecast()
    assert other.mean.tobytes() == straight.mean.tobytes()
    assert other.quantiles.tobytes() == straight.quantiles.tobytes()


@settings(max_examples=8)
@given(BOOKS)
def test_the_order_of_leaves_changes_no_bit(book: Book) -> None:
    check_order(book)


def test_the_order_of_many_leaves_changes_no_bit() -> None:
    check_order(LARGE)


def check_names(book: Book) -> None:
    # Names that sort the other way round: each level's nodes then come in the opposite order.
    names = [(f"{9 - int(o[1:])}", f"{99 - int(m[1:])}") for o, m in book.names]
    straight, other = book.forecast(), Book(names, book.quantity, book.born).forecast()
    close = 1e-9 * straight.quantiles.max()
    for part in straight.hierarchy.slices:
        np.testing.assert_allclose(other.mean[part][::-1], straight.mean[part], rtol=1e-6, atol=close)
        np.testing.assert_allclose(
            other.quantiles[:, part][:, ::-1], straight.quantiles[:, part], rtol=1e-6, atol=close
        )


@settings(max_examples=8)
@given(BOOKS)
def test_the_names_of_leaves_are_immaterial(book: Book) -> None:
    check_names(book)


def test_the_names_of_many_leaves_are_immaterial() -> None:
    check_names(LARGE)


def check_zero(book: Book, name: tuple[str, str]) -> None:
    months = book.quantity.shape[1]
    with_zero = Book(
        [name, *book.names], np.vstack([np.zeros((1, months)), book.quantity]), np.append(0, book.born)
    ).forecast()
    without = book.forecast()
    zero = with_zero.hierarchy.nodes["m"].eq(name[1]).fill_null(value=False)
    if name[0] not in {o for o, _ in book.names}:
        zero |= with_zero.hierarchy.nodes["o"].eq(name[0]).fill_null(value=False)
    old = ~zero.to_numpy()
    assert (with_zero.mean[~old] == 0).all()
    assert (with_zero.quantiles[:, ~old] == 0).all()
    close = 1e-9 * without.quantiles.max()
    np.testing.assert_allclose(with_zero.mean[old], without.mean, rtol=1e-9, atol=close)
    np.testing.assert_allclose(with_zero.quantiles[:, old], without.quantiles, rtol=1e-9, atol=close)


@settings(max_examples=8)
@given(BOOKS, st.sampled_from(["o0", "never"]))
def test_a_leaf_that_never_bought_changes_nothing_else(book: Book, organization: str) -> None:
    check_zero(book, (organization, "never"))


def test_a_leaf_that_never_bought_among_many_changes_nothing_else() -> None:
    check_zero(LARGE, ("o0", "never"))


def main() -> None:
    """Print the large book's forecast, so that a process with another number of threads can be asked."""
    made = LARGE.forecast()
    sys.stdout.buffer.write(made.mean.tobytes() + made.quantiles.tobytes())


def test_the_number_of_threads_and_another_run_change_no_byte() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, __file__],
            stdout=subprocess.PIPE,
            env=os.environ | {"NUMBA_NUM_THREADS": threads, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for threads in ("1", "2")
    ]
    one, two = (process.communicate()[0] for process in running)
    made = LARGE.forecast()
    assert one == two == made.mean.tobytes() + made.quantiles.tobytes()


if __name__ == "__main__":
    main()
