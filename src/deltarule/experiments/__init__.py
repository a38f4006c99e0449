"""Experiments: from a data set to a trained network, its held-out score and its predictions.

Reading order: choices, defaults, decided, fitting, experiment, pictures, saved_models.
"""
