"""Stage download: MNIST, the same 70,000 images whichever source they come from.

Writes data/raw/mnist.npz: x_train (60000, 28, 28), y_train (60000,), x_test (10000, 28, 28),
y_test (10000,); all uint8. The sources of `download.sources` are tried in order; what one
brings counts only if the SHA-256 of every array is the known one.
"""

from collections.abc import Iterable
from pathlib import Path

from pipeline.artifacts import save_arrays
from pipeline.errors import PipelineError
from pipeline.params import Download, run_stage
from pipeline.sources import SOURCES, Arrays, SourceError, verified

OUTPUT = Path("data/raw/mnist.npz")


class DownloadError(PipelineError):
    """No source gave MNIST; the message says, per source, why."""


def download(sources: Iterable[str], timeout: float) -> Arrays:
    """MNIST from the first of `sources` that gives the known arrays.

    Parameters
    ----------
    sources : names of SOURCES, in the order to try
    timeout : seconds without an answer before a source is given up

    Returns
    -------
    dict of uint8 arrays: x_train, y_train, x_test, y_test, shaped as pipeline.sources.SHAPE says.

    Raises
    ------
    DownloadError
        Every source failed.
    """
    reasons = []
    for source in sources:
        try:
            return verified(SOURCES[source](timeout))
        except SourceError as error:
            reasons.append(f"{source}: {error}")
    raise DownloadError("download: no source gave MNIST. " + " | ".join(reasons))


def main(params: Download) -> None:
    save_arrays(OUTPUT, **download(params.sources, params.timeout))


if __name__ == "__main__":
    run_stage(main, "download")
