"""Everything that touches containers, codecs and time."""
