"""What the workflow asks before and around its jobs: settings, keys, chunks. Light to import: no torch, no PyAV."""
