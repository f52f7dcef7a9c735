"""The development house: makes a home, starts every process in it, looks after them. Knows no letter."""
