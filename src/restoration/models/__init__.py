"""Networks and their weights: registry, verified fetching, conversion to safetensors, loading."""
