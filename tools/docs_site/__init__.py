"""The documentation as a site: pages under docs, and pages made from the code, put together for Zensical.

Reading order: pages, formulas, notebooks, docstrings, api, commands, mistakes, gallery, cells, live,
links, __main__.
"""
