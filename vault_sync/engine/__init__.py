"""Read, plan and write a vault byte by byte; knows nothing of runs, reports or languages."""
