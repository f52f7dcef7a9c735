"""What the house says to its terminal."""

import os
import sys


def say(text: str) -> None:
    """Prints, for as long as somebody listens: a terminal that is gone is no reason to end the house."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
