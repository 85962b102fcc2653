"""Stage download: the images, the same ones whichever source they come from.

Writes data/raw/images.npz in Keras' layout: x_train (n, height, width) uint8, y_train (n,), x_test,
y_test; and data/raw/about.json: the data set's title and credit, the images' size, the classes'
names. The sources of `download.sources` that have the data set are tried in order; what one brings
counts only if the SHA-256 of every array is the known one. `dataset: file` takes an npz of one's
own instead, held by its SHA-256.
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from pipeline.about import save_about
from pipeline.artifacts import save_arrays
from pipeline.datasets import DATASETS, Dataset, DatasetError, own, verified
from pipeline.params import Download
from pipeline.progress import say
from pipeline.sources import Arrays, SourceError
from pipeline.stage import run_stage
from pipeline.time_limit import fetch

IMAGES = Path("data/raw/images.npz")
ABOUT = Path("data/raw/about.json")


def download(
    dataset: Dataset, sources: Iterable[str], fetch_from: Callable[[str], Arrays]
) -> Arrays:
    """The data set from the first of `sources` that gives the known arrays.

    Parameters
    ----------
    sources : names, in the order to try; those that do not have the data set are passed over
    fetch_from : given the name of a source, its arrays, or a SourceError

    Returns
    -------
    dict of arrays: x_train, y_train, x_test, y_test, shaped as the data set's `shape` says.

    Raises
    ------
    DatasetError
        Every source failed.
    """
    reasons = []
    for source in sources:
        if source not in dataset.sources:
            continue
        say(f"{dataset.about.title} from {source}")
        try:
            return verified(fetch_from(source), dataset)
        except SourceError as error:
            reasons.append(f"{source}: {error}")
    raise DatasetError(f"download: no source gave {dataset.about.title}. " + " | ".join(reasons))


def main(params: Download) -> None:
    if params.dataset == "file":
        arrays, about = own(Path(params.file or ""), params.sha256 or "", params.class_names)
    else:
        dataset = DATASETS[params.dataset]
        fetch_from = partial(fetch, params.dataset, timeout=params.timeout, total=params.total)
        arrays, about = download(dataset, params.sources, fetch_from), dataset.about
    save_arrays(IMAGES, **arrays)
    save_about(ABOUT, about)


if __name__ == "__main__":
    run_stage(main, "download")
