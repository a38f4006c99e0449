"""``python -m deltarule``, and the console script."""

from __future__ import annotations

import sys

try:
    from deltarule.registry import signals_wait

    with signals_wait():
        from deltarule.cli import main
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    main()
