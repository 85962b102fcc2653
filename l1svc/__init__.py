"""The exact ℓ1-penalised squared-hinge linear SVM, with a duality-gap certificate.

    min over w of ‖w‖₁ + C Σ_i s_i max(0, 1 − y_i x̃_iᵀw)²

the problem of scikit-learn's ``LinearSVC(penalty="l1", loss="squared_hinge", dual=False)``.
"""

from .estimators import L1LinearSVC
from .exact import ExactSearch, exact_search
from .linear_svc import to_linear_svc
from .objective import objective, relative_duality_gap
from .pieces import ExactPath, exact_path
from .refits import Fits, bootstrap, svm_path
from .search import L1LinearSVCSearchCV

__version__ = "0.1.0"

__all__ = [
    "ExactPath",
    "ExactSearch",
    "Fits",
    "L1LinearSVC",
    "L1LinearSVCSearchCV",
    "bootstrap",
    "exact_path",
    "exact_search",
    "objective",
    "relative_duality_gap",
    "svm_path",
    "to_linear_svc",
]
