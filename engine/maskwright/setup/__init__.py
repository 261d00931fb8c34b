"""Placing Maskwright for one user: the engine, its command, the editors' plug-ins; taking all away.

Used by `installers/install.py`, before anything is installed, and by `maskwright setup` and
`maskwright plugins` from an engine that is there: standard library and `maskwright.hosts` only.
"""
