"""A second, small stand-in of WeCom, and our product run against it.

Its author read the platform's documents and not `scrm.standin`: where the two
answer differently, one of them misread the documents or leans on our code. It
keeps the truth (who befriended whom, who sat in which chat, what was
delivered), so that tests compare our ledgers with it, row by row.
"""
