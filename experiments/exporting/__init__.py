"""Exported files as evidence: what each costs in AP, and the manifest that says so."""
