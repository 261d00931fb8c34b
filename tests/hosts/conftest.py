"""Every test here drives a real editor."""

from host_fixtures import gimp, krita, pytest_collection_finish, root, stay

__all__ = ["gimp", "krita", "pytest_collection_finish", "root", "stay"]
