"""Pages outside the console."""
