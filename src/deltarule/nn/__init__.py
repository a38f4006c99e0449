"""Networks by explicit forward and backward propagation: activations, losses, layers, networks, engines.

Reading order: activations, losses, objective, layers, engines/reference, network; then initializers,
schedules, optimizers, architecture, parameter_names, description, model_files; and what runs the
same numbers faster: engines/compiled, with its own reading order in engines.
"""
