"""One optimizer a file, all built and called alike; see `base`."""
