"""What the plug-ins of all editors have in common: wishes, words, preview, strokes; no editor."""
