"""The generated schema: do not edit, run `make schema`."""

SCHEMA_HASH = "ed4ce00acd8f696e"
"""Announced at initialize; equal hashes mean equal contracts."""
