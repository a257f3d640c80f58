"""Symbolic mathematics: programs, reading, equality. Runs in worker processes on text from outside."""
