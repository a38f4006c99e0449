"""The playground: a network to train, step, go back in, and take apart, in a page of the browser.

Reading order: functions, problem, configuration, catalogue, rows (what is played with); timeline (training as a
line of moments); views, answers, links, session (messages in, replies out); server, site (what brings them to a page).
"""

from __future__ import annotations

from deltarule.playground.session import Session

__all__ = ["Session"]
