"""The fact table's partitions."""

from scrm.base.partitions import Monthly

_facts = Monthly("analytics_fact", "day")
ensure = _facts.ensure
stray_rows = _facts.stray_rows
