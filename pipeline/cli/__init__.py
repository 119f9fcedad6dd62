"""The console command `adlake`: thin over `pipeline.steps`, imported when a command needs it."""

from pipeline.cli.app import main

__all__ = ["main"]
