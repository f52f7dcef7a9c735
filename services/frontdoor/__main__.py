"""python -m services.frontdoor mail|courier|telegram|web: opens one room. Each process imports its own room only."""

import sys
from importlib import import_module

from services.chassis import process

ROOMS = ("mail", "courier", "telegram", "web")


def main(arguments: list[str]) -> None:
    """Runs the room named by the one argument: run(settings) in its module `room`, which returns when told to stop."""
    if len(arguments) != 1 or arguments[0] not in ROOMS:
        sys.exit(f"usage: python -m services.frontdoor {'|'.join(ROOMS)}")
    room = import_module(f"services.frontdoor.{arguments[0]}.room")
    process.main(arguments[0], room.run)


if __name__ == "__main__":
    main(sys.argv[1:])
