"""A program that trains nothing by itself: its functions and classes are called with plausible data.

Reading order: written (how its author uses it); usage, layouts, usual_activation, plausible, words, returned,
objects (what names say of arguments); asking, containers, given_data, supplied, answers (what is done with an
argument tells what it is); needs (which methods need which others); calls, graphs, driven, trials, plans,
drive.
"""
