"""How a network runs on a device: precision, tiling, memory."""
