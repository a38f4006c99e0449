"""Networks by explicit forward and backward propagation: activations, losses, layers, networks, engines.

Reading order: activations, losses, layers, engines/reference, network; then initializers, schedules,
optimizers, and what runs the same numbers faster: engines/compiled, engines/kernels.
"""
