"""Console pages that join rooms."""
