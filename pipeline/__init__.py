"""What the rooms share."""

import os
import signal
import sys

# Of a stage, dvc. It is asked for before the imports that take seconds: if dvc dies meanwhile, the
# parent is another process.
PARENT = os.getppid()

if sys.argv[0] == "-m":
    # `python -m` sets argv[0] to "-m" while it imports the package, before the module itself runs:
    # this is true of `python -m stages.NAME`, and false in a test. Ctrl-C then ends the stage at
    # once, while it imports too, and without a traceback. Nothing is lost: a result takes its place
    # once it is whole.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
