"""What stands between the socket and the resources: limits, names, headers, and lines in the log."""
