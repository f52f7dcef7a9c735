"""Zwrotka's services. Each is a process of its own; they meet only in protos/."""
