"""Experiments: from a data set to a trained network, its held-out score and its answers.

Reading order: defaults, fitting.
"""
