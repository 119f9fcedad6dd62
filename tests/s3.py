"""A real S3 server of this machine's own, for as long as a test needs it."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import botocore.config
import botocore.exceptions
import botocore.session

BUCKET = "lake"
START_SECONDS = 60
GRPC = 10_000
"""Each port of SeaweedFS has a second one, this much higher."""

Policy = Mapping[str, Any]
"""An IAM policy, as JSON says it."""

NOBODY: Mapping[str, Policy] = MappingProxyType({})


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        endpoint: Its URL.
        key_id: Who may do everything.
        secret: Likewise.
        pid: Of its process.
    """

    endpoint: str
    key_id: str = "adlake-tests"
    secret: str = "a-secret-of-the-tests"  # noqa: S105 - of a server that lives for a minute
    pid: int = 0

    def take_role(self, name: str) -> "Server":
        """The same server, as it is to one who may do no more than a policy says."""
        return replace(self, key_id=name, secret=f"the-secret-of-{name}")

    def describe(self) -> dict[str, str]:
        """The variables by which the standard chain finds it, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }


def clean_environ() -> dict[str, str]:
    """This process' environment without what would reach a real store or lake."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ADLAKE_"))
    }


@contextmanager
def start_server(folder: Path, *, roles: Mapping[str, Policy] = NOBODY) -> Iterator[Server]:
    """Starts a server with one empty bucket; it is killed at the end, and so is all it holds.

    Args:
        folder: For its files.
        roles: The policy of each who may not do everything, by name.
    """
    ports = find_ports(5)
    server = Server(f"http://127.0.0.1:{ports[0]}")
    command = make_command(folder, ports)
    if roles:
        (folder / "identities.json").write_text(json.dumps(make_identities(server, roles)))
        command.append(f"-s3.config={folder / 'identities.json'}")
    environ = clean_environ() | {
        "AWS_ACCESS_KEY_ID": server.key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret,
        "GOMEMLIMIT": "400MiB",
    }
    with (folder / "out.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=folder)
    try:
        wait_for(server, process, folder)
        yield replace(server, pid=process.pid)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)  # a graceful stop takes up to half a minute
        process.wait()


def make_identities(server: Server, roles: Mapping[str, Policy]) -> dict[str, Any]:
    """Who may do what, as SeaweedFS reads it."""

    def describe(who: Server) -> list[dict[str, str]]:
        return [{"accessKey": who.key_id, "secretKey": who.secret}]

    owner = {"name": "owner", "credentials": describe(server), "actions": ["Admin"]}
    others = [
        {"name": name, "credentials": describe(server.take_role(name)), "policyNames": [name]}
        for name in roles
    ]
    policies = [{"name": name, "content": json.dumps(policy)} for name, policy in roles.items()]
    return {"identities": [owner, *others], "policies": policies}


def make_command(folder: Path, ports: list[int]) -> list[str]:
    for name in ("data", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    names = ("s3", "master", "filer", "volume", "admin")
    return [
        str(Path(sys.executable).with_name("weed")),
        f"-logdir={folder / 'logs'}",
        "mini",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        *(f"-{name}.port={port}" for name, port in zip(names, ports, strict=True)),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-bucket={BUCKET}",
        "-s3.domainName=localhost",  # so that it knows `lake.localhost`, too
    ]


def find_ports(count: int) -> list[int]:
    """Ports that are free now, below those that the system gives to clients."""
    found: list[int] = []
    candidates = list(range(11_000, 22_000))
    random.Random(os.getpid()).shuffle(candidates)
    for port in candidates:
        if len(found) == count:
            break
        if is_free(port) and is_free(port + GRPC):
            found.append(port)
    assert len(found) == count
    return found


def is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(server: Server, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Waits until the bucket can be written to."""
    client = make_client(server.describe())
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"")
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError((folder / "out.log").read_text()) from None
            time.sleep(0.1)
        else:
            return


def make_client(environ: Mapping[str, str]) -> Any:
    """Somebody else's client of the same bucket."""
    return botocore.session.Session().create_client(
        "s3",
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        config=botocore.config.Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}
        ),
    )
