"""A program is run with numbers that remember where they came from.

Reading order: tape, operations, traced, instructions, functions, usual_activation, substitutes (numbers, and
what computes with them); data_use, made_data, made_tables, missing, opening (data that are not there);
demands, rewriting, source, imports, live, program (what is run).
"""
