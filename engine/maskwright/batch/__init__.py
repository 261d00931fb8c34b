"""A folder of photos with the same settings: found, worked off, remembered and reported."""
