"""Tables of numbers: projections of the ledgers, rebuilt at any time, never written by hand."""

from analytics.models.fact import PARTITIONS, Fact, FillState

__all__ = ["PARTITIONS", "Fact", "FillState"]
