"""What was done to every frame: the record, its exports, its proof, and the same run again."""
