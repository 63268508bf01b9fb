"""What we say, to whom, when, and whether it worked."""
