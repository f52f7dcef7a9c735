"""The walls of the house, read from the code."""
