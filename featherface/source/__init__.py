"""The program's own source: what it is by now, and which part of it decides a result.

Caches are keyed by it (`cache_entries`), so that no list of files has to be kept by hand.
"""
