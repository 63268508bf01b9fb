"""Callbacks in: verify, decrypt, store, acknowledge. Nothing else happens in the request."""
