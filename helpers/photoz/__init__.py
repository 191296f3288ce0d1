"""Photometric redshifts: catalogues, the simulator, features, template fit, models, what is peculiar to the subject."""

from helpers.photoz import checks, comparison, distributions, features, metrics, models, plots
from helpers.photoz.data import Catalogue, load, selected
from helpers.photoz.evaluation import evaluate
from helpers.photoz.predict import predict_catalogue

__all__ = [
    "Catalogue",
    "checks",
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
