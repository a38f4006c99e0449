"""Observe one program behind the wall, and write what was seen: the other side of ``observe_apart``."""

import json
import sys

from deltarule.diagnosis.observation.apart import observe_for, observe_passed, serve

if __name__ == "__main__":
    request = json.loads(sys.stdin.buffer.read())
    work, names = (
        (observe_passed, ("path", "seconds", "folders"))
        if "folders" in request
        else (observe_for, ("path", "seconds", "loss", "name"))
    )
    serve(request, lambda: work(*(request[name] for name in names)))
