"""Facts and numbers computed from the ledgers."""
