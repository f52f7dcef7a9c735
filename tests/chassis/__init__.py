"""What every service stands on, by itself."""
