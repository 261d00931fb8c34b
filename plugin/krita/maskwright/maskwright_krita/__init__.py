"""What the plug-in is made of; `__init__.py` above this folder is what Krita imports."""
