"""Observe one program behind the wall, and write what was seen: the other side of ``observe_apart``."""

import json
import sys

from deltarule.diagnosis.observation.apart import observe_for, serve

if __name__ == "__main__":
    request = json.loads(sys.stdin.buffer.read())
    serve(request, lambda: observe_for(*(request[name] for name in ("path", "seconds", "loss", "name"))))
