"""Observe one program and write what was seen to a pipe: the other side of ``observe_apart``."""

import os
import sys

from deltarule.diagnosis.observation.apart import limit_resources, reply_to
from deltarule.diagnosis.observation.observation import observe

if __name__ == "__main__":
    path, seconds, pipe = sys.argv[1:]
    limit_resources()
    reply_to(int(pipe), observe(path, 0.8 * float(seconds)))
    os._exit(0)
