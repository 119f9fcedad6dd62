"""Which errors are tried again."""

from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

from pipeline.errors import AdlakeError

if TYPE_CHECKING:
    from airflow.sdk import Context


class RetryWhatMayPass(RetryPolicy):
    """Tries again unless the error says that only a person can mend it."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow gives it by name
        max_tries: int,  # noqa: ARG002 - likewise
        context: "Context | None" = None,  # noqa: ARG002 - likewise
    ) -> RetryDecision:
        """As `AdlakeError.retryable` says; by the task's settings for any other error."""
        if isinstance(exception, AdlakeError) and not exception.retryable:
            return RetryDecision.fail(reason=f"only a person can mend this: {exception}")
        return RetryDecision.default()
