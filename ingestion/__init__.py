"""The door in: order lines from source databases to immutable snapshots and monthly panels."""
