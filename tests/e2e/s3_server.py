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

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

# The parts of the server and what each of them listens on.
PORTS = [
    f"{part}.port{kind}" for part in ("s3", "filer", "volume", "master") for kind in ("", ".grpc")
]


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
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                client.create_bucket(Bucket=bucket)
                break
            except (BotoCoreError, ClientError):  # not up yet
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(log.read_text()) from None
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
