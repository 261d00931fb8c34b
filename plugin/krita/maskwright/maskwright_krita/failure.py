"""What this side cannot do."""


class HostError(Exception):
    """Krita cannot do what was asked, or the layer is none that we can work on; a sentence."""
