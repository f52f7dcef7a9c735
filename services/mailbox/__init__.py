"""Accepts letters, keeps them, moves them on. Never keeps a token; never sees a PESEL."""
