"""Benchmarks: several ways to make data, on the same documents, at equal cost, seen by one examiner."""
