"""The conductor: runs the month from snapshot to published forecast."""
