"""The commands of `manage.py`; each reads its options and calls one room."""
