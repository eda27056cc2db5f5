"""Stub until the real one is merged."""


def records_of(master, places, read_part):
    return ()
