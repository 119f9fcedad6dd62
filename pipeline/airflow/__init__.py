"""What adlake's DAGs share; nothing else in the package knows Airflow.

DAG files import this while they are parsed, so it imports nothing of the package but its errors
and what hides secrets: the libraries that do the work take longer to import than a DAG to parse.

defaults  what every task and DAG has
run       the lake, day and credentials of a run
sensor    waits for deliveries
retry     which errors are tried again
alert     tells a webhook or a mailbox of a failure
"""
