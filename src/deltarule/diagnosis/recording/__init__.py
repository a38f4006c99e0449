"""A program is run with numbers that remember where they came from.

Reading order: tape, operations, traced, functions, substitutes, missing (numbers, and what
computes with them); source, program (what is run).
"""
