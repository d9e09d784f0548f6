"""Programs that write one format each, run by the Python that has its tool.

That Python may be an environment's own, so they know nothing of this package but one another. Each
is given a job, a JSON file: `do` (`convert` or `run`), the paths, and what the format wants.
"""
