"""Maskwright's engine: a photo in, a soft matte out, on this machine."""

__version__ = "0.1.0"
