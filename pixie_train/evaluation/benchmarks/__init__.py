"""Readers of the benchmarks that the paper evaluates on, one module each."""
