"""The suite: one file per feature, journeys, browser, faults, architecture, benchmarks."""
