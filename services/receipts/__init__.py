"""Evidence of what happened to a letter, sealed, and the public log that gives each piece its place."""
