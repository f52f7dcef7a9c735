"""Front door: the rooms that speak with the outside. They keep nothing; kill them at any time."""
