"""The front door: the command line, the demo, and the wiring of settings into objects."""
