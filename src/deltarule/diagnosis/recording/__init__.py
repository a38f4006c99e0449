"""A program is run with numbers that remember where they came from.

Reading order: tape, operations, traced, instructions, missing, functions, substitutes (numbers, and what
computes with them); demands, rewriting, source, imports, live, program (what is run).
"""
