"""A service over HTTP that finds faces in uploaded pictures; `server` starts it, `limits` is lean.

Nothing that is uploaded is written anywhere: bodies stay in memory until their request is answered.
"""
