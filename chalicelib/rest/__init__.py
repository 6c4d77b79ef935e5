"""REST endpoints by resource, one module each; `chalicelib.api` brings them together."""
