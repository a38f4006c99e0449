"""Where a backward pass leaves the gradient: the line, the expression, and in words what is wrong there.

Reading order: fault, location, wording, untrained, shapes, forward, factors, penalties, faults.
"""
