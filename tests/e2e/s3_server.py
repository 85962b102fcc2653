"""A real S3 server (SeaweedFS) on loopback, which checks keys and signatures."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

# The parts of the server and what each of them listens on.
PORTS = [
    f"{part}.port{kind}" for part in ("s3", "filer", "volume", "master") for kind in ("", ".grpc")
]
ATTEMPTS = 5  # between its choice and its use, a port may be another's
PATIENCE = 300  # seconds until a server must be up, on a busy machine


class Ended(Exception):
    """The server has ended; the message is its log."""


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens on, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def s3_server(bucket: str, key: str, secret: str) -> Iterator[str]:
    """The address of a server that has one bucket, and one key that may do everything."""
    for attempt in range(ATTEMPTS):
        with ExitStack() as stack:
            try:
                url = stack.enter_context(_server(bucket, key, secret))
            except Ended:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            yield url
            return


@contextmanager
def _server(bucket: str, key: str, secret: str) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp())  # short: the path of a socket has 100 characters at most
    ports = free_ports(len(PORTS))
    options = dict(zip(PORTS, ports, strict=True)) | {
        "s3": "true",
        "s3.autoCreateBucket": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "master.telemetry": "false",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "dir": folder,
        "filer.localSocket": folder / "filer",
        "s3.localSocket": folder / "s3",
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["weed", "server", *(f"-{name}={value}" for name, value in options.items())],
            cwd=folder,
            env=os.environ | {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{ports[0]}"
    client = get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(connect_timeout=10, read_timeout=10, retries={"total_max_attempts": 1}),
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            if process.poll() is not None:
                raise Ended(log.read_text())
            try:
                client.create_bucket(Bucket=bucket)
                break
            except (BotoCoreError, ClientError) as error:  # not up yet
                if "BucketAlready" in str(error):  # it was made, and the answer came late
                    break
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)
        yield url
    finally:
        client.close()
        process.kill()  # asked to end, it takes a quarter of a minute
        process.wait()
        shutil.rmtree(folder)
        for port in ports:
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink()
