"""Photometric redshifts: catalogues, the simulator, features, template fit, models, what is peculiar to the subject."""

from helpers.evaluation import comparison, distributions
from helpers.subjects.photoz import features, metrics, models, plots
from helpers.subjects.photoz.data import Catalogue, load, selected
from helpers.subjects.photoz.evaluation import evaluate
from helpers.subjects.photoz.predict import predict_catalogue

__all__ = [
    "Catalogue",
    "comparison",
    "distributions",
    "evaluate",
    "features",
    "load",
    "metrics",
    "models",
    "plots",
    "predict_catalogue",
    "selected",
]
