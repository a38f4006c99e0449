"""``python -m deltarule``."""

from __future__ import annotations

from deltarule.registry import signals_wait

with signals_wait():
    from deltarule.cli import main

if __name__ == "__main__":
    main()
