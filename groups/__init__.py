"""Chats and who sits in them."""
