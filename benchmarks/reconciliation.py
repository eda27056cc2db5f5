"""Reconciliation against hierarchicalforecast: seconds, memory and coherence, in one run.

    python benchmarks/reconciliation.py [--leaves 1000,10000,50000] [--limit 120] [--all]

Non-negative structural reconciliation of 12 months at seven levels, ours beside their MinTraceSparse. Every
measurement is a process of its own; theirs is stopped at the limit. Kernels are compiled before the
clock starts (once per installation, a few seconds). With `--all` our other variants follow.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import polars as pl
from scipy import sparse

from forecasting.arrays import Floats
from forecasting.covariance import Covariance, shrinkage, structural, variance
from forecasting.hierarchy import Hierarchy
from forecasting.raking import rake
from forecasting.reconcile import reconcile, reconcile_nonnegative

KEYS = ("organization", "customer", "material")
LEVELS = (
    (),
    ("organization",),
    ("customer",),
    ("material",),
    ("organization", "customer"),
    ("organization", "material"),
    KEYS,
)
MONTHS = 12
OBSERVATIONS = 60
THREADS = 2


def order_book(leaves: int) -> tuple[Hierarchy, Floats, Floats]:
    """A hierarchy, incoherent base forecasts and past errors: half the leaves buy nothing in a month."""
    rng = np.random.default_rng(leaves)
    sizes = (min(50, max(4, leaves // 1000)), max(5, leaves // 25), max(5, leaves // 40))
    draws = [(size * rng.random(3 * leaves) ** 2).astype(int).astype(str) for size in sizes]
    table = pl.DataFrame(dict(zip(KEYS, draws, strict=True))).unique(maintain_order=True).head(leaves)
    hierarchy = Hierarchy.of(KEYS, LEVELS, table)
    size = np.exp(rng.normal(1, 1.5, hierarchy.n_leaves))
    true = size[:, None] * rng.gamma(2, 0.5, (hierarchy.n_leaves, MONTHS))
    true *= rng.random(true.shape) < 0.5
    scale = 0.3 * np.sqrt(hierarchy.aggregate(size[:, None] ** 2))
    base = hierarchy.aggregate(true) + scale * rng.normal(size=(hierarchy.n_nodes, MONTHS))
    base[-hierarchy.n_leaves :][(true == 0) & (rng.random(true.shape) < 0.7)] = 0
    common = rng.normal(size=(3, OBSERVATIONS))
    errors = rng.normal(size=(len(scale), OBSERVATIONS)) + 0.3 * rng.normal(size=(len(scale), 3)) @ common
    return hierarchy, base, scale * errors


def covariance_of(kind: str, hierarchy: Hierarchy, errors: Floats) -> Covariance:
    if kind == "structural":
        return structural(hierarchy)
    return variance(errors) if kind == "variance" else shrinkage(errors)


def ours(variant: str, hierarchy: Hierarchy, base: Floats, errors: Floats) -> Floats:
    bound, kind = variant.split()
    if bound == "raked":
        coherent = reconcile(hierarchy, base, covariance_of(kind, hierarchy, errors))
        return rake(hierarchy, coherent, coherent)
    solve = reconcile if bound == "free" else reconcile_nonnegative
    return solve(hierarchy, base, covariance_of(kind, hierarchy, errors))


def theirs(hierarchy: Hierarchy, base: Floats) -> Floats:
    # Only their process pays for loading them, in seconds and in memory.
    from hierarchicalforecast.methods import MinTraceSparse  # noqa: PLC0415  # only the child that needs it

    rival = MinTraceSparse("wls_struct", nonnegative=True, num_threads=THREADS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rival.fit(S=sparse.csr_matrix(hierarchy.summing), y_hat=base)
    return np.asarray(rival.y_hat)


def measure(who: str, variant: str, leaves: int) -> dict[str, float]:
    """Run one variant in this process."""
    if who == "ours":
        ours(variant, *order_book(200))
    hierarchy, base, errors = order_book(leaves)
    # They clip the base first; so that both solve the same problem, so do we.
    base = np.maximum(base, 0.0) if variant.startswith("non-negative") else base
    hierarchy.aggregate(base[-hierarchy.n_leaves :])  # builds S, which both are given
    start = time.perf_counter()
    got = theirs(hierarchy, base) if who == "theirs" else ours(variant, hierarchy, base, errors)
    seconds = time.perf_counter() - start
    summed = hierarchy.aggregate(got[-hierarchy.n_leaves :])
    weights = structural(hierarchy).diagonal[:, None]
    return {
        "seconds": seconds,
        "nodes": hierarchy.n_nodes,
        "incoherence": float(np.max(np.abs(summed - got)) / np.abs(summed).max()),
        "smallest": float(got.min()),
        "cost": float(((got - base) ** 2 / weights).sum()),
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def measured(who: str, variant: str, leaves: int, limit: float) -> dict[str, float] | None:
    """The same in a child process, or None past the limit or on failure."""
    command = [sys.executable, __file__, "--child", who, "--variant", variant, "--leaves", str(leaves)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        return None
    except subprocess.CalledProcessError as failure:
        print(failure.stderr, file=sys.stderr)
        return None
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def report(variant: str, leaves: int, limit: float, with_rival: bool) -> None:
    own = measured("ours", variant, leaves, 3600)
    if own is None:
        print(f"{variant:24} {leaves:>9,}  failed", flush=True)
        return
    rival = measured("theirs", variant, leaves, limit) if with_rival else None
    if rival is not None:
        beside = f"{rival['seconds']:>9.2f} {rival['seconds'] / own['seconds']:>7.0f}x"
        beside += f" {rival['gib']:>8.2f} {own['cost'] / rival['cost'] - 1:>10.1e}"
    else:
        beside = f"{f'>{limit:.0f}' if with_rival else '':>9}"
        beside += f" {f'>{limit / own["seconds"]:.0f}' if with_rival else '':>7}{'x' if with_rival else ''}"
    print(
        f"{variant:24} {leaves:>9,} {own['nodes']:>10,} {own['seconds']:>9.3f} {own['gib']:>8.2f} "
        f"{own['incoherence']:>11.1e} {own['smallest']:>9.2g} {beside}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--leaves", default="1000,10000,50000", help="how many, joined by commas")
    parser.add_argument("--limit", type=float, default=120, help="seconds given to the rival")
    parser.add_argument("--all", action="store_true", help="our other variants too")
    parser.add_argument("--child", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--variant", default="non-negative structural", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sizes = [int(size) for size in given.leaves.split(",")]
    if given.child:
        print(json.dumps(measure(given.child, given.variant, sizes[0])))
        return
    print(f"{'':24} {'leaves':>9} {'nodes':>10} {'ours s':>9} {'GiB':>8} {'incoherence':>11} {'smallest':>9} "
          f"{'theirs s':>9} {'ratio':>8} {'GiB':>8} {'cost diff':>10}")  # fmt: skip
    for leaves in sizes:
        report("non-negative structural", leaves, given.limit, with_rival=True)
    if given.all:
        others = ("free structural", "free variance", "free shrinkage", "raked variance")
        for variant in (*others, "non-negative variance", "non-negative shrinkage"):
            for leaves in sizes:
                report(variant, leaves, given.limit, with_rival=False)


if __name__ == "__main__":
    main()
