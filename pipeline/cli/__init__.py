"""The console command `adlake`: thin over `pipeline.steps`, imported when a command needs it.

app         the commands, in the order of the data's way
command     what every command has; the one place that catches every error
options     options that several commands share
generate    run, generate
deliver     land, merge, withdraw
contract    contract list, check, new
quarantine  quarantine list, show, replay
read        kpi, diff, report, export
query       query, views
care        status, inspect, doctor, verify
upkeep      fsck, compact, vacuum, rebuild, history, upgrade
init        init
messages    what commands say of what they did
output      records and tables in a form
progress    progress bars
signals     ends a command that is told to end
versions    what `--version` tells
"""

from pipeline.cli import signals


def main() -> None:
    """Runs the command line and exits with the code that belongs to the outcome."""
    signals.end_at_once()
    from pipeline.cli.app import run  # takes long enough for somebody to change their mind

    run()
