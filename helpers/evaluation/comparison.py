"""The table of many regressors with default settings: by PyCaret, or else by scikit-learn."""

import os
import warnings

import pandas as pd
from matplotlib import rc_context
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.utils import all_estimators

from helpers.evaluation.regression import mae, mse, r2

METRICS = {"MAE": mae, "MSE": mse, "R2": r2}
NAMES = {  # PyCaret's abbreviations, and the names of the classes of scikit-learn
    "rf": "RandomForestRegressor",
    "lightgbm": "HistGradientBoostingRegressor",
    "et": "ExtraTreesRegressor",
    "gbr": "GradientBoostingRegressor",
    "dt": "DecisionTreeRegressor",
    "lr": "LinearRegression",
    "br": "BayesianRidge",
    "ridge": "Ridge",
    "ada": "AdaBoostRegressor",
    "en": "ElasticNet",
    "lasso": "Lasso",
    "llar": "LassoLars",
    "omp": "OrthogonalMatchingPursuit",
    "dummy": "DummyRegressor",
    "knn": "KNeighborsRegressor",
    "huber": "HuberRegressor",
    "par": "PassiveAggressiveRegressor",
    "lar": "Lars",
}


def compare(features, target, names=tuple(NAMES), folds=5, seed=0):
    """Compare regressors with their default settings by cross-validation.

    Parameters
    ----------
    features : pandas.DataFrame
        Without gaps.
    target : array, shape (n,)
    names : sequence of str
        Of `NAMES`.
    folds, seed : int

    Returns
    -------
    made_by : {"PyCaret", "scikit-learn"}
        PyCaret 3.3 runs on Python up to 3.11 only.
    table : pandas.DataFrame
        One row a regressor, with MAE, MSE and R2, the smallest MSE first.
    """
    os.environ.setdefault("PYCARET_CUSTOM_LOGGING_PATH", os.devnull)  # else it writes logs.log
    with warnings.catch_warnings(), rc_context():  # it changes the look of all figures
        warnings.simplefilter("ignore")  # of regressors that do not converge
        try:
            from pycaret.regression import RegressionExperiment
        except (ImportError, RuntimeError):  # RuntimeError: installed, but on another Python
            return "scikit-learn", by_scikit_learn(features, target, names, folds, seed)
        experiment = RegressionExperiment()
        experiment.setup(
            features.assign(target=target),
            target="target",
            fold=folds,
            fold_shuffle=True,
            session_id=seed,
            n_jobs=1,
            verbose=False,
            html=False,
            system_log=False,
        )
        experiment.compare_models(include=list(names), verbose=False, errors="ignore")
        table = experiment.pull().set_index("Model")
    return "PyCaret", table[list(METRICS)].sort_values("MSE")


def by_scikit_learn(features, target, names, folds, seed):
    """The same table from scikit-learn's own regressors."""
    classes = dict(all_estimators("regressor"))
    shuffled = KFold(folds, shuffle=True, random_state=seed)
    rows = {}
    for name in names:
        full_name = NAMES[name]
        if full_name not in classes:  # later versions lack the passive-aggressive one
            continue
        regressor = classes[full_name]()
        if "random_state" in regressor.get_params():
            regressor.set_params(random_state=seed)
        found = cross_val_predict(regressor, features, target, cv=shuffled)
        rows[full_name] = {label: metric(found, target) for label, metric in METRICS.items()}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.rename_axis("Model").sort_values("MSE")
