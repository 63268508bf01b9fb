"""The calls out, one module per family of the platform's API. Functions named `fetch_` read; the others change."""
