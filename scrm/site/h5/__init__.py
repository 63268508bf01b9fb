"""Pages that staff open on their phones: who they are (`session`), by OAuth or a signed link (`links`), and the guard."""
