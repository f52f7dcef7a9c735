"""The suite: one world of real processes, only the outside is played."""
