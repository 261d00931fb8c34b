"""The client of Maskwright's local engine, for plug-ins: standard library only, Python 3.10.

Submodules are imported by name; importing the package itself does nothing.
"""
