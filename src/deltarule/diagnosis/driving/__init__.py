"""A program that trains nothing by itself: its functions and classes are called with plausible data.

Reading order: written (how its author uses it); usage, layouts, plausible, words,
returned, origins, demanded, asking, usual_loss, objects (what names say of arguments); containers, tables,
given_data, supplied, answers, going, made_arguments (what is done with an argument tells what it is);
within (what a function without arguments shows); needs (which methods need which others); call_state, calls,
graphs, following, driven, trials, deeper, unrun, plans, named_calls, own_data (ways to call it); driver (one
way after the other); searching (one answer after the other); drive.
"""
