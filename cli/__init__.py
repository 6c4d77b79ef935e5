"""The `decant` command, one module per command."""
