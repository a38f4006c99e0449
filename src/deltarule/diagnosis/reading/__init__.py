"""What was recorded is read: parameters, steps, targets and losses; each step beside its gradient.

Reading order: updates, steps, targets, losses, comparison, optimizers, given, judging, layers,
analysis; weighted, chain, network (as a chain of layers).
"""
