"""Picture files: reading a photo, writing its cut-out and its matte.

Only the command line, the tests and the benchmarks open files; the service is handed pixels.
"""
