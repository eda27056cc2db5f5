"""The REST resources: one file each, and what they share."""
