"""The playground: a network to train, step, go back in, and take apart, in a page of the browser.

Reading order: functions, problem, configuration, catalogue, rows (what is played with); timeline (training as
a line of moments); views, played_run, state, explanations, homework, saving, links,
session (messages in, replies out); opening, worker, server, site (what brings them to a page), play.
"""

from __future__ import annotations

from deltarule.playground.play import play
from deltarule.playground.session import Session
from deltarule.playground.site import build_site, one_file

__all__ = ["Session", "build_site", "one_file", "play"]
