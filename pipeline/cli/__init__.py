"""The console command `adlake`: thin over `pipeline.steps`, imported when a command needs it."""

from pipeline.cli import signals


def main() -> None:
    """Runs the command line and exits with the code that belongs to the outcome."""
    signals.end_at_once()
    from pipeline.cli.app import run  # takes long enough for somebody to change their mind

    run()
