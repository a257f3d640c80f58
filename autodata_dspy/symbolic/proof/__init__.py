"""Proof and refutation of equality."""
