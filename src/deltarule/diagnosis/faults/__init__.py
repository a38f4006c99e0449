"""Where a backward pass leaves the gradient: the line, the expression, and in words what is wrong there.

Reading order: fault, location, names, replay, repair, formulas, corrections, wording, untrained,
factors, edits, derivatives, rules, shapes, forward, scale, factor_repair, penalties, faults.
"""
