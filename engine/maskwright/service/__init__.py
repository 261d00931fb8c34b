"""The engine as a process of its own that GIMP and Krita share: HTTP on loopback, one per user."""
