"""A plan gives every row once an epoch, within its budget, the same on every machine."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling.training.batches import (
    ahead,
    micro_batches,
    padding_share,
    plan_epoch,
    share_of_process,
)
from modeling.training.schedule import learning_rate_factor

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=80)


@given(lengths, st.integers(1, 9), st.integers(1, 5), st.integers(0, 3))
def test_an_epoch_has_each_row_once_in_steps_of_the_size_asked_for(sizes, rows, bucket, epoch):
    plan = plan_epoch(sizes, rows_per_step=rows, bucket=bucket, seed=1, epoch=epoch)
    assert sorted(row for step in plan for row in step) == list(range(len(sizes)))
    assert len(plan) == -(-len(sizes) // rows)
    assert all(len(step) <= rows for step in plan)
    assert plan == plan_epoch(sizes, rows_per_step=rows, bucket=bucket, seed=1, epoch=epoch)


@given(lengths, st.integers(1, 200))
def test_micro_batches_keep_all_rows_within_the_budget(sizes, budget):
    batches = micro_batches(list(range(len(sizes))), sizes, budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) * max(sizes[row] for row in batch) <= budget or len(batch) == 1


@given(st.integers(0, 20), st.integers(1, 5))
def test_processes_share_the_batches_evenly_and_each_counts_once(count, processes):
    batches = [[i] for i in range(count)]
    shares = [share_of_process(batches, p, processes) for p in range(processes)]
    assert len({len(share) for share in shares}) == 1
    counted = [batch for share in shares for batch, counts in share if counts]
    assert sorted(counted) == batches


def test_epochs_differ_and_bucketing_saves_padding():
    sizes = np.random.default_rng(0).integers(5, 200, 2000).tolist()
    arguments = {"rows_per_step": 32, "seed": 0}
    first = plan_epoch(sizes, bucket=50, epoch=0, **arguments)
    assert first != plan_epoch(sizes, bucket=50, epoch=1, **arguments)
    assert padding_share(first, sizes) < 0.05
    assert padding_share(plan_epoch(sizes, bucket=1, epoch=0, **arguments), sizes) > 0.4


def test_reading_ahead_keeps_order_and_hands_errors_on():
    def slow():
        yield from range(3)
        time.sleep(0.01)
        raise ValueError("broken")

    coming = ahead(slow())
    assert [next(coming), next(coming), next(coming)] == [0, 1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(coming)


def test_the_rate_climbs_and_falls():
    factors = [learning_rate_factor(step, 10, 2, "linear") for step in range(10)]
    assert factors[:3] == [0.5, 1.0, 1.0]
    assert factors[-1] == pytest.approx(1 / 8)
    assert learning_rate_factor(9, 10, 2, "constant") == 1
    assert learning_rate_factor(6, 10, 2, "cosine") == pytest.approx(0.5)
