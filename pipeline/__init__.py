"""What the rooms share."""

import os
import signal
import sys

PARENT = os.getppid()  # dvc, for a stage: before the imports that take seconds

if sys.argv[0] == "-m":
    # `python -m stages.NAME`: Ctrl-C ends it at once, while it imports too, and without a
    # traceback. Nothing is lost: what a stage writes takes its place once it is whole.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
