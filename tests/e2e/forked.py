"""`dvc` and `python -m` without their seconds of imports.

A server imports once what others than we have written; each command is a fork of it, with the
caller's folder, environment and streams. Our own modules are those of the folder. Commands of these
names, first in PATH, ask the server; the stages that dvc starts are forks as well. What Python
reads as it starts (PYTHON..., the locale) is the server's, and a signal to the command does not
reach the fork: a test of these runs the real commands.
"""

import atexit
import gc
import importlib
import marshal
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What others have written of what dvc, the stages and the tools import when they are called.
IMPORTED = (
    *("dvc.api", "dvc.cli.parser", "dvc.repo.artifacts", "dvc.repo.datasets", "dvc.repo.graph"),
    *("dvc.repo.experiments", "dvc.repo.index", "dvc.repo.stage", "dvc.repo.trie", "dvc_render"),
    *("dvc.utils.strictyaml", "dvc_data.index.checkout", "flatten_dict", "ruamel.yaml"),
    *("matplotlib.backends.backend_agg", "matplotlib.figure", "matplotlib.style", "networkx"),
    *("PIL.WebPImagePlugin", "pydantic", "yaml"),
    *("sklearn.metrics", "sklearn.model_selection", "sklearn.svm"),
)
# The shim imports next to nothing, since it stands for a command that should cost nothing.
SHIM = """#!{python} -ISE
import _socket, array, marshal, os, sys
command = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
if command[0] == "python" and command[1:2] != ["-m"]:
    os.execv("{python}", ["{python}", *command[1:]])
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
server.connect("{address}")
streams = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
server.sendmsg([b"."], [streams])
server.sendall(marshal.dumps((command, os.getcwd(), dict(os.environ))))
server.shutdown(_socket.SHUT_WR)
answer = server.recv(1)
sys.exit(answer[0] if answer else "it was killed")
"""


@cache
def shims() -> Path:
    """The folder of the commands; the server behind them ends with this process."""
    folder = Path(tempfile.mkdtemp())
    address = folder / "address"
    server = subprocess.Popen(
        [sys.executable, "-m", __name__, str(address)],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # at whose end it ends
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout.readline() == "ready\n"
    for name in ("dvc", "python"):
        shim = folder / name
        shim.write_text(SHIM.format(python=sys.executable, address=address))
        shim.chmod(0o755)

    def end() -> None:
        server.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return folder


def serve(address: str) -> None:
    """Fork for each that connects, until stdin ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()

    def watch() -> None:
        sys.stdin.read()
        os._exit(0)

    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    print("ready", flush=True)
    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            _answer(connection)
        connection.close()
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def _answer(connection: socket.socket) -> None:
    """Run what is asked for, say its exit status, end."""
    _, streams, *_ = socket.recv_fds(connection, 1, 3)
    asked = b"".join(iter(lambda: connection.recv(65536), b""))
    command, folder, environment = marshal.loads(asked)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["dvc", *command[1:]] if command[0] == "dvc" else command[2:]
    sys.path[:] = [folder, *(path for path in sys.path if path not in ("", str(ROOT)))]
    status = 0
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code
        if not isinstance(status, int):
            status = print(status, file=sys.stderr) or 1 if status else 0
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send(bytes([status]))
    os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
