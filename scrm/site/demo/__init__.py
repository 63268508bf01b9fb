"""`make demo`: everything on one machine, with a history in the ledgers and people who act."""
