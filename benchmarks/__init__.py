"""Benchmarks: deltarule beside its peers, checked to compute the same and timed in turns.

Run from the root of a checkout: ``python -m benchmarks --help``.
"""
