"""What the plug-in is made of; `maskwright.py` beside this folder is what GIMP starts."""
