"""The networks: what exists, where it is stored, how it is run."""
