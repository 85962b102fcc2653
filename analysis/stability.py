"""Stability: which pixels are chosen again when the training images are drawn anew."""

import numpy as np

from l1svc import bootstrap
from pipeline.cluster import cluster
from pipeline.convergence import converged
from pipeline.errors import PipelineError
from pipeline.progress import progress

OFTEN = 0.9  # share of the samples from which on a pixel counts as chosen for good


def frequencies(
    X: np.ndarray, s: np.ndarray, C: float, samples: int, random_state: int
) -> np.ndarray:
    """(p,) share of bootstrap samples in whose optimum the weight of a pixel is not zero.

    Parameters
    ----------
    X : (n, p) float64
    s : (n,) -1 or +1
    C : regularisation
    samples : number of samples of n images, drawn with replacement
    random_state : seed of the draws

    Raises
    ------
    NotConvergedError
        The solver did not reach its tolerance on one of the samples.
    PipelineError
        One of the samples has one class only.
    """
    refusal = (
        f"interpret: bootstrap at C={C}: newton did not converge on each of {samples} samples; "
        "allowed: a train.C at which it does (a smaller one is easier)"
    )
    with cluster(), converged(refusal), progress("bootstrap", samples, "fits") as step:
        try:
            fits = bootstrap(X, s, C, samples, random_state=random_state, n_jobs=-1, callback=step)
        except ValueError as error:  # a sample of one class, where there are a few images of one
            raise PipelineError(
                f"interpret: bootstrap: {error}; allowed: more training images of each class"
            ) from error
    return np.asarray(np.mean(fits.coef != 0, axis=0))


def often(share: np.ndarray) -> np.ndarray:
    """(p,) whether a pixel is chosen in at least OFTEN of the samples."""
    return share >= OFTEN
