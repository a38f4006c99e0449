"""A program is run with numbers that remember where they came from.

Reading order: tape, operations, traced, instructions, missing, functions, substitutes (numbers, and what
computes with them); data_use, made_data, made_tables, opening (data that are not there); demands, rewriting,
source, imports, live, program (what is run).
"""
