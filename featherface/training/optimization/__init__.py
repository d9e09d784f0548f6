"""Optimizers, schedules, averages, precision, and several processes together."""
