"""What Prometheus reads from /metrics: of this process alone, without names or words."""

from __future__ import annotations

from collections.abc import Sized

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters of one process."""

    def __init__(self, connections: Sized) -> None:
        self.registry = CollectorRegistry()
        self.commands = Counter(
            "photochat_commands_total",
            "Commands of participants, by name and result.",
            ["command", "result"],
            registry=self.registry,
        )
        self.answered = Histogram(
            "photochat_answer_seconds",
            "From receiving a command to its acknowledgement.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batches = Histogram(
            "photochat_commit_seconds",
            "One transaction of the writer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batched = Counter(
            "photochat_written_total", "What transactions wrote.", registry=self.registry
        )
        self.errors = Counter(
            "photochat_failures_total", "Unexpected failures.", registry=self.registry
        )
        self.limited = Counter(
            "photochat_rate_limited_total", "Refused as too often.", registry=self.registry
        )
        gauge = Gauge("photochat_connections", "Open sockets.", registry=self.registry)
        gauge.set_function(lambda: len(connections))

    def batch(self, size: int, seconds: float) -> None:
        """Count one transaction."""
        self._batched.inc(size)
        self._batches.observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
