"""Measures the runtime: how fast, how late, how much memory."""
