"""What was recorded is read: parameters, steps, targets and losses; each step beside its gradient.

Reading order: updates, steps, targets, comparison, optimizers, judging, layers, analysis; weighted, chain,
network (as a chain of layers).
"""
