"""A program that trains nothing by itself: its functions and classes are called with plausible data.

Reading order: usage, plausible, returned, objects, calls, graphs, driven, plans, drive.
"""
