"""Decides what deliveries do to the master. Pure, but for `write`."""
