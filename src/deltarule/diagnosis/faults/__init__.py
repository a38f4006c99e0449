"""Where a backward pass leaves the gradient: the line, the expression, and in words what is wrong there.

Reading order: fault, location, names, replay, repair, formulas, corrections, wording, untrained,
derivatives, shapes, forward, scale, factors, factor_repair, penalties, faults.
"""
