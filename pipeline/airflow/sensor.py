"""Waits for the deliveries that a run asks for."""

from typing import TYPE_CHECKING

from airflow.sdk import BaseSensorOperator

from pipeline.airflow.run import log_summary, open_run

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeliverySensor(BaseSensorOperator):
    """Waits until each source in the param `wait_for` has delivered; without any, not at all.

    A class and not `@task.sensor`, whose module makes Airflow 3.3 warn of its own import.
    """

    def poke(self, context: "Context") -> bool:
        """Whether nothing is missing."""
        from pipeline.steps.await_deliveries import list_missing  # noqa: PLC0415 - see the package

        run = open_run(context)
        missing = list_missing(run.lake, run.params["wait_for"], day=run.day)
        log_summary("adlake_waiting", missing=missing)
        return not missing
