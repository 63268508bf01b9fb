"""Benchmarks (`make bench`): each module's `run(size)` yields measurements; they print as one JSON object a line.

They run on embedded services with durable settings; figures of one machine compare with each other only, so that each
bench measures its own baseline in the same run.
"""
