# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # 03 Photometric redshifts
#
# {badges}
#
# **Question.** Spectra are expensive, images are cheap. How well can machine learning tell the redshift of a galaxy from five broad bands, and does it beat the traditional fit of templates?
#
# {origin}
#
# You will be able to
# - turn fluxes with noise, negative numbers and gaps into features that a regressor can use, and measure redshifts with figures of merit that tell bulk and outliers apart;
# - compare template fit and machine learning on the same galaxies, and both with the best that any method could reach;
# - find out what a model uses, where it stops being valid, and whether its p(z) can be trusted.
#
# **Time.** {time}
#
# **Data and licence.** The 3D-HST master catalogue v4.1 (Skelton et al. 2014; MAST, public domain) if it is there, else a simulated catalogue in the same columns: figures drawn from it say MOCK. Templates and filter curves come with GalSim. Code: BSD-3-Clause. Text: CC BY 4.0.

# %% tags=["setup"]

# %%
import tempfile
import time
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import make_union

from helpers import plots
from helpers.course import setup
from helpers.evaluation import comparison, distributions
from helpers.evaluation.errors import bootstrap_error, format_number
from helpers.evaluation.folds import out_of_fold, splits
from helpers.exercises import exercise, hint
from helpers.subjects import photoz
from helpers.subjects.photoz import floor, metrics, mock, models
from helpers.subjects.photoz import plots as photoz_plots
from helpers.subjects.photoz.columns import BANDS, ERRORS, FEATURES, FLUXES, NOT_FEATURES
from helpers.subjects.photoz.features import CatalogueColumns, PhotometricFeatures
from helpers.subjects.photoz.template_fit import MagnitudePrior, TemplateFit

run = setup("03_photo_z", seed=2024)

# %% [markdown]
# ## 1 The question and its physics
#
# The universe expands while light travels, and stretches its wavelength by 1 + z. A **spectroscopic** redshift comes from lines; a **photometric** one from the few numbers that images give: fluxes through broad filters. What they see is above all the break at 4000 Å (more exactly 3650 to 4000 Å), below which old stars are faint. In the figure, look for where the break (triangles) lies among the five bands.

# %%
photoz_plots.break_through_bands([0.3, 0.9, 1.6, 2.4], mock=True)

# %% [markdown]
# With rising redshift the break walks from left to right: at z = 0.3 it lies in F606W, at 0.9 in F814W, at 1.6 in the gap between F814W and F125W, at 2.4 where F125W ends. While it is in the wide gap, nothing tells exactly where. A colour, the ratio of two fluxes, says on which side of the break they are, and does not depend on how bright a galaxy is.
#
# Now the catalogue: five fields, five HST bands. Missing values are −99. Two traps: an `id` is unique within its field only, and GOODS-N and GOODS-S are both abbreviated "g".

# %%
catalogue = run.use(photoz.load(n=run.pick(ci=1200, demo=15_000, full=60_000), seed=1))
counts = pd.DataFrame({"field": catalogue.field, "spec": np.isfinite(catalogue.redshift)})
fields = counts.groupby("field").spec.agg(galaxies="size", with_redshift="sum")
for band, gone in zip(BANDS, np.isnan(catalogue.flux).T):
    fields[f"no {band}"] = (100 * pd.Series(gone).groupby(catalogue.field).mean()).map("{:.0f} %".format)
fields

# %% [markdown]
# F140W is missing for a quarter of the galaxies. A model has to live with gaps; dropping these galaxies would change the question.
#
# The source selects log mass > 9 and a spectroscopic redshift. Two consequences. Redshifts are measured for **bright** galaxies, so a model is trained on galaxies unlike those that it is for. And a mass is computed *at a redshift*: a cut on it cannot be made for a galaxy whose redshift is wanted. Look, on the left, for how much brighter the selected galaxies are, and on the right for what the cut takes away.

# %%
chosen = photoz.selected(catalogue)


def magnitude(data):
    """F160W magnitude, NaN where the flux is not positive."""
    flux = data.flux[:, -1]
    return 25 - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))


figure, axes = plots.panels(1, 2, mock=catalogue.mock, size=(4.3, 3))
for name, part in (("all", catalogue), ("selected", chosen)):
    axes[0].hist(magnitude(part), np.arange(18, 25, 0.25), histtype="step", density=True, label=name)
axes[0].set(xlabel="F160W [mag]", ylabel="density")
axes[0].legend(loc="upper left")
axes[1].plot(catalogue.redshift, catalogue.table.lmass, ".", markersize=2, alpha=0.4)
axes[1].axhline(9, color="black", linestyle="--")
axes[1].set(xlabel="spectroscopic redshift", ylabel="log mass [solar masses]", ylim=(7, 12.3))
figure

# %% [markdown]
# Half of the selected galaxies are brighter than magnitude 22, where the catalogue has hardly begun: no score below holds for its bulk. The cut removes galaxies of low mass, all of them at low redshift, since at high redshift none is bright enough: it changes n(z) itself.
#
# ## 2 From fluxes to features
#
# Noise makes faint fluxes negative, and a logarithm does not take that. The **asinh magnitude** (Lupton et al. 1999) does: $m = 25 - \frac{2.5}{\ln 10}\,[\mathrm{asinh}(f/2b) + \ln b]$ is a magnitude for $f \gg b$ and linear for $f \lesssim b$, with b about the noise.
#
# **Exercise 1.** All colours of k bands from fluxes, of which some are negative and some missing (−99). Run the cell: the line below it says *to do*, *not yet* with the reason, or *correct*; until it is correct the cells below use the reference solution. `hint("03.asinh_colours")` gives a hint.

# %% tags=["exercise"]
@exercise("03.asinh_colours")
def asinh_colours(flux, softening):
    """Colours of all pairs of bands, the first minus the second: (n, k) fluxes to (n, k (k - 1) / 2), NaN where missing."""
    # BEGIN SOLUTION
    flux = np.where(flux == -99, np.nan, flux)
    magnitudes = 25 - 2.5 / np.log(10) * (np.arcsinh(flux / (2 * softening)) + np.log(softening))
    first, second = np.triu_indices(flux.shape[1], 1)
    return magnitudes[:, first] - magnitudes[:, second]
    # END SOLUTION


# %% [markdown]
# Look for the break in the colours: each one turns red where the break passes between its two bands.

# %%
pairs = [(BANDS[i], BANDS[j]) for i, j in zip(*np.triu_indices(5, 1))]
colour = asinh_colours(chosen.table[list(FLUXES)].to_numpy(), np.nanmedian(chosen.error, axis=0))
figure, axes = plots.panels(1, 3, mock=catalogue.mock, size=(3.2, 2.8))
for axis, pair in zip(axes, [("F606W", "F814W"), ("F814W", "F125W"), ("F125W", "F160W")]):
    axis.plot(chosen.redshift, colour[:, pairs.index(pair)], ".", markersize=2, alpha=0.3)
    axis.set(xlabel="spectroscopic redshift", ylabel=f"{pair[0]} − {pair[1]} [mag]", xlim=(0, 4))
figure

# %% [markdown]
# The red galaxies rise to z ≈ 1 in the first colour, to about 2 in the second, and to 2.5 in the third, and fall again; blue galaxies, with a weak break, change less. A single colour allows many redshifts.
#
# **How good is a redshift?** The mean squared error is ruled by a few outliers. So we also look at the scatter of the bulk, σ_NMAD, at the fraction of outliers, |Δz|/(1+z) > 0.15, and at the bias, the mean of Δz/(1+z).
#
# **Exercise 2.** σ_NMAD = 1.4826 · median |d − median(d)| with d = (predicted − true)/(1 + true).

# %% tags=["exercise"]
@exercise("03.sigma_nmad")
def sigma_nmad(predicted, true):
    """Normalised median absolute deviation of Δz / (1 + z)."""
    # BEGIN SOLUTION
    d = (predicted - true) / (1 + true)
    return 1.4826 * np.median(np.abs(d - np.median(d)))
    # END SOLUTION


# %% [markdown]
# **Who is compared on what.** A part of the galaxies is set aside for the choice of hyperparameters, and never scored. On all others every method predicts each galaxy *out of fold*: five times, four fifths train (imputation, scaling and priors included) and one fifth is predicted. The simplest baseline is the mean redshift of the training rows.

# %%
n_tuning = len(chosen) // 5
order = np.random.default_rng(run.seed).permutation(len(chosen))
tuning, galaxies = chosen[order[:n_tuning]], chosen[order[n_tuning:]]
z, n_folds = galaxies.redshift, run.pick(ci=2, demo=5, full=5)
folds = splits(len(z), n_folds, seed=run.seed)
predicted = {"constant guess": np.empty(len(z))}
for train, test in folds:
    predicted["constant guess"][test] = z[train].mean()


def scores(results):
    """One row a method: each figure of merit with its bootstrap error, on the same galaxies."""
    rows = {name: metrics.report(values, z) for name, values in results.items()}
    names = {"mse": "MSE", "mae": "MAE", "r2": "R²", "sigma_nmad": "σ_NMAD", "outliers": "outliers", "bias": "bias"}
    return pd.DataFrame({name: {names[key]: format_number(*pair) for key, pair in row.items()} for name, row in rows.items()}).T


print(f"{len(galaxies)} galaxies to compare on, {len(tuning)} to tune on")
scores(predicted)

# %% [markdown]
# ## 3 The traditional way: fit templates
#
# Take spectra of galaxies of known type, move them to a redshift z, look at them through the filters, and ask how well they agree with what was measured. The amplitude is free.
#
# **Exercise 3.** χ² of one template at one redshift: $\sum_i (f_i - a\,m_i)^2/\sigma_i^2$ for the amplitude $a \ge 0$ that makes it smallest. Bands that were not measured (NaN) do not count.

# %% tags=["exercise"]
@exercise("03.chi2")
def chi2(flux, error, template):
    """Smallest χ² of fluxes, shape (k,), and amplitude × template, shape (k,)."""
    # BEGIN SOLUTION
    weight = np.where(np.isfinite(flux), 1 / error**2, 0)
    flux = np.nan_to_num(flux)
    amplitude = max((weight * flux * template).sum() / (weight * template**2).sum(), 0)
    return (weight * (flux - amplitude * template) ** 2).sum()
    # END SOLUTION


# %% [markdown]
# For three galaxies (a template that is wrong by 5 % gets an error of 5 %): look for several minima, and for templates that disagree.

# %%
fitter = TemplateFit(BANDS)
names = ("E", "Sbc", "Scd", "Im", "Scd, dusty", "young")
figure, axes = plots.panels(1, 3, mock=galaxies.mock, size=(3.4, 2.8), sharey=True)
for axis, i in zip(axes, [np.argmin(np.abs(z - target)) for target in (0.5, 1.2, 2.2)]):
    flux, error = galaxies.flux[i], np.hypot(galaxies.error[i], 0.05 * galaxies.flux[i])
    for k, name in enumerate(names):
        axis.plot(fitter.grid[::2], [chi2(flux, error, model[k]) for model in fitter.models[::2]], linewidth=1, label=name)
    axis.axvline(z[i], color="black", linestyle="--", linewidth=1)
    axis.set(xlabel="redshift", ylim=(0.1, 1e3), yscale="log", xlim=(0, 4), title=f"z_spec = {z[i]:.2f}")
axes[0].set_ylabel("χ² of one template")
axes[-1].legend(fontsize=7)
figure

# %% [markdown]
# Each template has its minimum at another redshift. For the first galaxy three templates have a deep minimum, none of them at the true redshift; for the second, dust at z ≈ 0.2 fits better than any template at 1.2; for the third, two templates at 2.2 and 3.0 fit about equally well. So types have to be mixed, and something has to choose. The full fit allows non-negative combinations of two templates, adds the 5 % in quadrature, and multiplies exp(−χ²/2) by a prior p(z | magnitude), whose parameters come from the training rows (Benítez 2000). Its p(z) has a highest peak (EAZY's z_peak), a median and a mean: the mean is best for the squared error, the median for the absolute one.
#
# Beside it stands the catalogue's own `z_peak`. Mind: it saw **more bands** than the five of this catalogue (the real one up to 44; the mock's eleven).

# %%
fitted, template_cdf = {}, np.empty((len(z), len(fitter.grid)))
for train, test in folds:
    prior = MagnitudePrior.fit(magnitude(galaxies)[train], z[train])
    found = fitter.redshift(galaxies.flux[test], galaxies.error[test], prior, magnitude(galaxies)[test])
    template_cdf[test] = found.pop("cumulative")
    for name, values in found.items():
        fitted.setdefault(f"template fit, {name}", np.empty(len(z)))[test] = values
predicted |= fitted | {"z_peak of the catalogue (more bands)": galaxies.table.z_peak.to_numpy()}
photoz_plots.scatter({name: predicted[name] for name in [*fitted, "z_peak of the catalogue (more bands)"]}, z, mock=galaxies.mock, columns=4, limit=4)

# %% [markdown]
# With five bands the fit puts many galaxies between z = 0.3 and 1.2 near 0.8, and scatters those beyond 2 widely. Peak, mean and median differ by which figure of merit they favour: the mean has the smallest MSE of the three, the median the smallest σ_NMAD. With more bands nearly all of that is gone: bands matter more than methods.
#
# ## 4 The floor
#
# How good could *anybody* be? On simulated galaxies that can be computed. The simulator's templates, distributions of redshift, luminosity, type and dust, its noise, and the selection of galaxies with spectra are all known, so that the posterior p(z | five fluxes) is a weighted sum over a library of simulated galaxies (`helpers/subjects/photoz/floor.py`). Its mean has the smallest MSE that is possible, its median the smallest MAE. In the figure, look for what is left of the scatter: no method can remove it.

# %%
if galaxies.mock:
    floor_cdf, effective = floor.posterior(galaxies, n=run.pick(ci=4000, demo=40_000, full=200_000))
    predicted |= {f"floor: posterior {name}": values for name, values in floor.estimate(floor_cdf).items()}
best = {name: values for name, values in predicted.items() if name.startswith("floor")}
shown = {"template fit, mean": predicted["template fit, mean"]} | best
photoz_plots.scatter(shown, z, mock=galaxies.mock, limit=4)

# %% [markdown]
# The posterior is much narrower than the template fit, but it has outliers too: some galaxies look alike at two redshifts even to somebody who knows everything about the simulation, and between z = 0.3 and 1.2 five bands without the ultraviolet say little. (On the real catalogue nobody knows the truth, and there is no floor.)
#
# ## 5 Machine learning
#
# The source's models: random forest, gradient-boosted trees, a multi-layer perceptron 256-256-256 with L1 loss, support vector regression; and nearest neighbours. Three feature sets, as in the source: all 29 columns that are no answer; the five bands only; five bands and all ten colours. All models learn ln(1 + z).
#
# Gradient-boosted trees depend on their settings: Optuna looks for good ones by Bayesian optimisation, on the galaxies that were set aside. (The source made 500 trials.) Look for whether the search has an effect beyond its scatter.

# %%
feature_sets = {"29 columns": CatalogueColumns(FEATURES), "5 bands": PhotometricFeatures(FLUXES, ERRORS, "magnitudes"),
                "5 bands + colours": PhotometricFeatures(FLUXES, ERRORS, "colours")}
colours_set = feature_sets["5 bands + colours"]


def trial_error(trial):
    settings = dict(learning_rate=trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
                    max_leaf_nodes=trial.suggest_int("max_leaf_nodes", 4, 48, log=True),
                    min_samples_leaf=trial.suggest_int("min_samples_leaf", 2, 40, log=True),
                    l2_regularization=trial.suggest_float("l2_regularization", 0.01, 30, log=True),
                    max_iter=trial.suggest_int("max_iter", 40, 300, log=True))
    model = models.make("gbt", colours_set, **settings)
    return metrics.mse(out_of_fold(model, tuning.table, tuning.redshift, folds=3), tuning.redshift)


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=run.seed))
study.optimize(trial_error, n_trials=run.pick(ci=2, demo=20, full=500))
figure, axis = plots.panels(mock=galaxies.mock, size=(5, 2.8))
errors = np.array([trial.value for trial in study.trials])
axis.plot(errors, "o", markersize=4, label="trial")
axis.plot(np.minimum.accumulate(errors), label="best so far")
axis.set(xlabel="trial", ylabel="MSE on the tuning galaxies")
axis.legend()
figure

# %% [markdown]
# Good settings turn up within the first trials, and the search then gains little or nothing: the MSE of a few hundred galaxies has an error of about a tenth of itself, larger than what good settings differ by. Now everything with everything, each prediction out of fold.

# %%
quick = run.pick(ci={"rf": dict(n_estimators=10, n_jobs=1), "gbt": dict(max_iter=20), "mlp": dict(epochs=1, hidden=(16,))}, demo={"rf": dict(n_estimators=100)}, full={})
contestants = {"random forest": ("rf", {}), "boosted trees": ("gbt", {}), "boosted trees, tuned": ("gbt", study.best_params),
               "perceptron 256³": ("mlp", {}), "support vectors": ("svr", {}), "nearest neighbours": ("knn", {}),
               "linear": ("linear", {})}
learned = {}
for set_name, features in feature_sets.items():
    for name, (kind, options) in contestants.items():
        model = models.make(kind, features, seed=run.seed, **(quick.get(kind, {}) | options))
        learned[name, set_name] = out_of_fold(model, galaxies.table, z, n_folds, seed=run.seed)
table = scores(predicted | {f"{name}, {set_name}": values for (name, set_name), values in learned.items()})
table

# %% [markdown]
# All on the same galaxies, in the same folds. As bars, in two figures of merit: the mean squared error, which outliers rule, and σ_NMAD, which does not see them. Look for what the colours do, and for who is below the template fit (dashed; in MSE its mean, in σ_NMAD its median) and how far from the floor (dotted).

# %% tags=["gallery"]
figure, axes = plots.panels(2, 1, mock=galaxies.mock, size=(8.5, 2.4), sharex=True)
for axis, metric, label, pick in ((axes[0], metrics.mse, "MSE", "mean"), (axes[1], metrics.sigma_nmad, "σ_NMAD", "median")):
    for number, set_name in enumerate(feature_sets):
        values = [learned[name, set_name] for name in contestants]
        error = [bootstrap_error(metric, value, z) for value in values]
        place = np.arange(len(contestants)) + 0.27 * (number - 1)
        axis.bar(place, [metric(value, z) for value in values], 0.27, yerr=error, label=set_name, color=f"C{number}")
    axis.axhline(metric(predicted[f"template fit, {pick}"], z), color="black", linestyle="--", label="template fit")
    if galaxies.mock:
        axis.axhline(metric(predicted[f"floor: posterior {pick}"], z), color="black", linestyle=":", label="floor")
    axis.set(ylabel=label)
axes[1].set_xticks(range(len(contestants)), [name.replace(" ", "\n", 1) for name in contestants], fontsize=8)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=5, fontsize=8)
figure

# %% [markdown]
# Three things. **Colours** help all trees, support vectors and nearest neighbours a lot: a tree asks about one feature at a time, and has to build a ratio of fluxes from many steps. The perceptron finds most of it by itself, and a linear model gains nothing, since colours are linear in magnitudes. **The 29 columns** are the worst set for everybody, and ruin the models that measure distances. (Mind that they are raw fluxes, where the other two sets hold magnitudes: more than the number of columns differs.) **Who wins** depends on the figure of merit: in MSE the forest, the boosted trees and the perceptron are equal within their errors; in σ_NMAD the perceptron is ahead, whose L1 loss cares for the bulk. With colours most are better than the template fit of the same bands, and all stay above the floor. The tuned trees are no better than the default ones beyond the errors.
#
# The forest next to the template fit:

# %%
shown = {"template fit, mean": predicted["template fit, mean"], "random forest, 5 bands": learned["random forest", "5 bands"],
         "random forest, with colours": learned["random forest", "5 bands + colours"]}
photoz_plots.scatter(shown, z, mock=galaxies.mock, limit=4)

# %% [markdown]
# From left to right: the template fit, whose errors beyond z = 2 are largest; the forest on magnitudes, which draws everything to the middle; the forest with colours, which is tighter but still cannot exceed the redshifts it was trained on, and flattens at the high end.
#
# ### The table of the source: PyCaret
#
# PyCaret fits a list of regressors with their default settings and sorts them. PyCaret 3.3 runs on Python up to 3.11; elsewhere the same table comes from scikit-learn's own regressors. The cell says which it was. All columns that are no answer, as in the source; the target is z itself.

# %%
everything = feature_sets["29 columns"].fit(galaxies.table)
columns = pd.DataFrame(everything.transform(galaxies.table), columns=FEATURES)
wanted = run.pick(ci=("lr", "dummy", "dt"), demo=tuple(comparison.NAMES), full=tuple(comparison.NAMES))
made_by, model_table = comparison.compare(columns, z, wanted, run.pick(ci=2, demo=3, full=10), run.seed)
source_mse = {"Random Forest": 0.1337, "Light Gradient Boosting Machine": 0.1364, "Extra Trees": 0.1463, "Gradient Boosting": 0.1472,
              "Decision Tree": 0.2440, "Linear Regression": 0.2676, "Bayesian Ridge": 0.2677, "Ridge Regression": 0.2859,
              "AdaBoost": 0.3005, "Elastic Net": 0.3662, "Lasso Regression": 0.4001, "Dummy": 0.4665, "K Neighbors": 0.4846}
print("table by", made_by)
model_table.assign(**{"MSE in the source": model_table.index.str.replace(" Regressor", "").map(source_mse)}).round(3)

# %% [markdown]
# The order is the source's at the top: boosted trees and the forest lead, and their MSEs are hardly different; unscaled nearest neighbours are worse than a constant, there and here. The absolute numbers are not comparable: the galaxies are others, and so is their spread in redshift (the constant guess, "Dummy", has another MSE too).
#
# ## 6 Which features?
#
# A forest has an **impurity importance**: how much the splits in a column reduce the variance of the training rows. It is free, but a column of many different numbers offers many splits, and gets some importance even if it is noise. **Permutation importance** asks on galaxies that were not trained on: how much worse are the predictions if a column is shuffled?
#
# **Exercise 4.** Permutation importance: the mean squared error with column j shuffled, minus the one without.

# %% tags=["exercise"]
@exercise("03.permutation_importance")
def permutation_importance(predict, X, y, rng):
    """Rise of the mean squared error of predict(X) when a column of X is shuffled: shape (number of columns,)."""
    # BEGIN SOLUTION
    base = np.mean((predict(X) - y) ** 2)
    importance = np.empty(X.shape[1])
    for column in range(X.shape[1]):
        shuffled = X.copy()
        shuffled[:, column] = rng.permutation(X[:, column])
        importance[column] = np.mean((predict(shuffled) - y) ** 2) - base
    return importance
    # END SOLUTION


# %% [markdown]
# Both for the forest with the 29 columns. Look for positions and ids (`id`, `ra`, `dec`, `x`, `y`), and for errors.

# %%
train, test = folds[0]
forest = models.make("rf", clone(feature_sets["29 columns"]), seed=run.seed, **quick.get("rf", {}))
forest.fit(galaxies.table.iloc[train], z[train])
X = forest[0].transform(galaxies.table.iloc[test])
rng = np.random.default_rng(run.seed)
shuffles = np.array([permutation_importance(forest[-1].predict, X, z[test], rng) for _ in range(run.pick(ci=2, demo=3, full=20))])
importance = {"impurity": forest[-1].regressor_.feature_importances_, "permutation": shuffles.mean(axis=0)}
plots.importances(importance, {"permutation": shuffles.std(axis=0)}, FEATURES, mock=galaxies.mock, most=20)

# %% [markdown]
# Both agree on the top: the fluxes on either side of the break. Below, impurity gives each of the other columns, `id`, `x` and `y` among them, a share of one or two percent; permutation gives them nothing within its error. Aperture and total flux in F160W share one importance: shuffle one, and the forest reads the other.
#
# Do ids and positions *harm*? The same forest on bands and colours, with five such columns added, and with all of the catalogue's other columns added. Look whether the bars differ by more than their errors.

# %%
position = ("id", "ra", "dec", "x", "y")
rest = tuple(name for name in FEATURES if name not in FLUXES + ERRORS)
variants = {"bands + colours": colours_set, "+ id and positions": make_union(colours_set, CatalogueColumns(position)),
            "+ all other columns": make_union(colours_set, CatalogueColumns(rest))}
harm = {"bands + colours": learned["random forest", "5 bands + colours"]}
for name in list(variants)[1:]:
    model = models.make("rf", variants[name], seed=run.seed, **quick.get("rf", {}))
    harm[name] = out_of_fold(model, galaxies.table, z, n_folds, seed=run.seed)
pairs_of = {name: ((values - z) ** 2 - (harm["bands + colours"] - z) ** 2) for name, values in harm.items()}
pd.DataFrame({name: {"MSE": f"{metrics.mse(values, z):.4f}", "difference": format_number(pairs_of[name].mean(), bootstrap_error(np.mean, pairs_of[name])),
                     "σ_NMAD": format_number(metrics.sigma_nmad(values, z), bootstrap_error(metrics.sigma_nmad, values, z))}
              for name, values in harm.items()}).T

# %% [markdown]
# Once the colours are there, neither ids and positions nor all other columns change anything beyond the errors: the forest ignores them. Above, the 29 columns did worse than the five bands alone; but those are raw fluxes and these magnitudes, so that is no proof that the other columns do harm. (Your experiment: the five raw fluxes alone.)
#
# ## 7 Does it generalise?
#
# **Exercise 5.** Train on four fields, test on the fifth: the rows for each split. The letter `g` stands for two fields, which the declination tells apart: with one of the two in the training rows, nothing would be left out.

# %% tags=["exercise"]
@exercise("03.leave_one_field_out")
def leave_one_field_out(field, dec):
    """Rows (train, test) of each split, a list of five pairs, from the letters of the fields and the declinations [°]."""
    # BEGIN SOLUTION
    names = np.char.add(np.asarray(field, dtype=str), np.where(np.asarray(dec) > 0, "+", "-"))
    return [(np.flatnonzero(names != name), np.flatnonzero(names == name)) for name in np.unique(names)]
    # END SOLUTION


# %% [markdown]
# Left: each field predicted from the other four, and in the usual shuffled folds, with the same forest. Right: train on the bright half of the galaxies, and predict the faint half in bins of magnitude, beside folds over all. (The folds train on four fifths instead of a half, so that a part of the second difference is the size of the training set.) Look for how much is lost in each case.

# %%
forest = models.make("rf", colours_set, seed=run.seed, **quick.get("rf", {}))
shuffled_folds, by_field = learned["random forest", "5 bands + colours"], np.empty(len(z))
for train, test in leave_one_field_out(galaxies.table.field.to_numpy(), galaxies.table.dec.to_numpy()):
    by_field[test] = clone(forest).fit(galaxies.table.iloc[train], z[train]).predict(galaxies.table.iloc[test])
m = magnitude(galaxies)
bright, faint = np.flatnonzero(m <= np.median(m)), np.flatnonzero(m > np.median(m))
from_bright = clone(forest).fit(galaxies.table.iloc[bright], z[bright]).predict(galaxies.table.iloc[faint])


def in_groups(values, true, groups):
    pairs = [(values[groups == g], true[groups == g]) for g in np.unique(groups)]
    return [metrics.mse(*pair) for pair in pairs], [bootstrap_error(metrics.mse, *pair) for pair in pairs]


bins = pd.qcut(m[faint], 4, labels=False)
figure, axes = plots.panels(1, 2, mock=galaxies.mock, size=(4.6, 3.1))
for axis, cases, groups, true in ((axes[0], {"shuffled folds": shuffled_folds, "field left out": by_field}, galaxies.field, z),
                                  (axes[1], {"trained on all magnitudes": shuffled_folds[faint], "trained on the bright half": from_bright}, bins, z[faint])):
    for number, (name, values) in enumerate(cases.items()):
        value, error = in_groups(values, true, groups)
        axis.errorbar(np.arange(len(value)) + 0.1 * number, value, error, fmt="o", capsize=2, label=name)
    axis.set(ylabel="MSE", ylim=(0, None))
    axis.legend(fontsize=8)
axes[0].set_xticks(range(5), np.unique(galaxies.field), fontsize=8)
axes[1].set_xticks(range(4), [f"{m[faint][bins == b].mean():.1f}" for b in range(4)])
axes[1].set(xlabel="mean F160W of the bin [mag]")
figure

# %% [markdown]
# On another field nothing is lost within the errors: the fields of the mock differ by depth and 2 % zero points only (real ones may differ by more). From bright to faint the error grows, and in the faintest bin it is half as large again: there are galaxies of a kind, distance and noise that the model has never seen. That is how such models are used, since spectra are of bright galaxies.
#
# ## 8 Beyond a point: p(z)
#
# Where colours allow two redshifts, one number cannot be right. A random forest gives a distribution for free: in each of its trees, a galaxy falls into a leaf with training galaxies, and their redshifts are a sample of p(z) (quantile regression forest, Meinshausen 2006). Is it to be trusted? If so, the true redshift lies as often in its lowest tenth as in any other: the **PIT**, the probability below the true redshift, is evenly distributed. The **CRPS** is small for distributions that are calibrated *and* narrow; for a single number it is the absolute error. Look for U shapes (too narrow) and hills (too wide).

# %%
grid = floor.GRID
forest_cdf = np.empty((len(z), len(grid)))
for train, test in folds:
    part = models.make("rf", colours_set, seed=run.seed, **quick.get("rf", {}) | dict(min_samples_leaf=5))
    part.fit(galaxies.table.iloc[train], z[train])
    forest_cdf[test] = models.forest_distributions(part, galaxies.table.iloc[test], galaxies.table.iloc[train], z[train], grid)
cdfs = {"template fit": (fitter.grid, template_cdf), "random forest": (grid, forest_cdf)}
cdfs |= {"floor": (grid, floor_cdf)} if galaxies.mock else {}
pits = {name: distributions.pit(*pair, z) for name, pair in cdfs.items()}
plots.pit_histograms(pits, mock=galaxies.mock)

# %%
prior_cdf = np.tile(distributions.from_samples(grid, z[None]), (len(z), 1))
crps = {"n(z) for everybody": distributions.crps(grid, prior_cdf, z)} | {name: distributions.crps(*pair, z) for name, pair in cdfs.items()}
quality = pd.DataFrame({name: {"CRPS": format_number(values.mean(), bootstrap_error(np.mean, values)),
                               "PIT, distance from even": f"{distributions.calibration_error(pits[name]):.3f}" if name in pits else "–"}
                        for name, values in crps.items()}).T
print(f"an even distribution of {len(z)} PIT values has a distance below {1.63 / len(z)**0.5:.3f} in 99 % of cases")
quality

# %% [markdown]
# The floor is even within the noise, as it must be: that checks our library. So, just, is the template fit: its error for wrong templates is a good guess. The forest has a hill: its p(z) are too wide, because leaves mix galaxies. Still it has the smaller CRPS of the two: a distribution can be well calibrated and say little.
#
# Single galaxies: the four with the largest CRPS of the forest among every tenth galaxy, and four at random. Look for two peaks, and whether the true redshift is under one.

# %%
subset = np.arange(0, len(z), 10)
picked = np.r_[subset[np.argsort(crps["random forest"][subset])[-4:]], subset[:4]]
grids = {name: grid for name, (grid, _) in cdfs.items()}
picked_cdfs = {name: cdf[picked] for name, (_, cdf) in cdfs.items()}
titles = [f"F160W = {m[i]:.1f}" for i in picked]
plots.densities(grids, picked_cdfs, z[picked], titles, np.arange(0, 4.51, 0.09), "redshift", mock=galaxies.mock)

# %% [markdown]
# Upper row: what is worst for the forest is bad for everybody. Even the floor expects these galaxies elsewhere, but for three of the four it keeps a small peak near the true redshift. Lower row: for three galaxies all agree about where; for the last the template fit has two peaks, of which a point estimate could only be the middle.
#
# ## 9 A survey
#
# A survey has more galaxies than fit into memory. `photoz.predict_catalogue` takes a Parquet file in parts: on the cores of this machine, or, without a change in the call, through Dask on the workers of a `distributed.Client`. If it is stopped, the same call goes on where it was. Ids are kept, and rows come out in the order in which they went in.

# %%
n_survey = run.pick(ci=2000, demo=200_000, full=1_000_000)
survey_model = models.make("gbt", colours_set, seed=run.seed, **quick.get("gbt", {})).fit(galaxies.table, z)
survey = catalogue.table.iloc[np.arange(n_survey) % len(catalogue)].assign(id=np.arange(n_survey))
with tempfile.TemporaryDirectory() as folder:
    survey[["id", "field", *FLUXES, *ERRORS]].to_parquet(Path(folder, "in.parquet"))
    start = time.perf_counter()
    photoz.predict_catalogue(survey_model, Path(folder, "in.parquet"), Path(folder, "out.parquet"))
    minutes = (time.perf_counter() - start) / 60
    answers = pd.read_parquet(Path(folder, "out.parquet"))
in_order = bool((answers.id.to_numpy() == np.arange(n_survey)).all())
pd.Series({"galaxies": len(answers), "million a minute": round(n_survey / minutes / 1e6, 2), "in order": in_order}).to_frame("survey")

# %% [markdown]
# Several million galaxies a minute on this machine, each with its own id.
#
# ## 10 Open question: can machine learning do better?
#
# The source's answer was no: its best model, a random forest, stayed behind the template fit. What would change that? Some experiments to try: *the same bands* for both sides; *more training galaxies*; *templates as features* of a model.
#
# To start from: `mock.simulate(n, seed, z_peak=False)` draws more galaxies, `models.make` and `out_of_fold` train and predict, and `fitted` holds the answers of the template fit, which are legitimate features: they were found without the redshift of the galaxy itself.

# %% tags=["answer"]
combined = galaxies.table.assign(**{f"fit_{name.split()[-1]}": values for name, values in fitted.items()},
                                 fit_width=np.diff([distributions.quantile(fitter.grid, template_cdf, q) for q in (0.16, 0.84)], axis=0)[0])
hybrid = make_union(colours_set, CatalogueColumns(("fit_peak", "fit_mean", "fit_median", "fit_width")))
model = models.make("rf", hybrid, seed=run.seed, **quick.get("rf", {}))
answers = {"template fit, mean": fitted["template fit, mean"], "random forest": shuffled_folds,
           "forest with the fit as features": out_of_fold(model, combined, z, n_folds, seed=run.seed),
           "z_peak of the catalogue (more bands)": predicted["z_peak of the catalogue (more bands)"]} | best
scores(answers)

# %% tags=["answer"]
table_more, _ = mock.simulate(run.pick(ci=1000, demo=30_000, full=200_000), seed=77, z_peak=False)
more = photoz.selected(photoz.Catalogue(table=table_more, source="mock"))
sizes = run.pick(ci=(50, 100), demo=(150, 500, 1500, 4500), full=(150, 500, 1500, 5000, 20_000))
curves, spread = {}, {}
for name, kind in (("random forest", "rf"), ("perceptron 256³", "mlp")):
    for size in [size for size in sizes if size <= len(more)]:
        model = models.make(kind, colours_set, seed=run.seed, **quick.get(kind, {}))
        found = model.fit(more.table.iloc[:size], more.redshift[:size]).predict(galaxies.table)
        curves.setdefault(name, []).append(metrics.mse(found, z))
        spread.setdefault(name, []).append(bootstrap_error(metrics.mse, found, z))
figure = photoz_plots.against(curves, spread, [size for size in sizes if size <= len(more)], "training galaxies", "MSE", mock=True)
axis = figure.axes[0]
axis.axhline(metrics.mse(fitted["template fit, mean"], z), color="black", linestyle="--", label="template fit, mean")
if galaxies.mock:
    axis.axhline(metrics.mse(predicted["floor: posterior mean"], z), color="black", linestyle=":", label="floor")
axis.legend(fontsize=8)
plots.size_axis(axis, "training galaxies")
figure

# %% [markdown] tags=["answer"]
# So can it? With the *same five bands*, yes: forest and perceptron beat the template fit as soon as they have more than about 500 training galaxies; with 150 they lose. Giving it the answers of the fit as features brings both kinds of knowledge together and gains a little more. But no amount of training reaches z_peak, which had more bands: it lies below the *floor* of the five, and what beats a floor is information, not method. That is how the source's "no" came about: its forest had five bands, its template fit up to 44.

# %% [markdown]
# ## 11 Which claims of the source hold?
#
# Each claim as a number with its error: the difference of the MSE on the same galaxies, so that what is common to both drops out.

# %%
def difference(one, other):
    """MSE of one minus the other's, and its bootstrap error, over pairs."""
    values = (one - z) ** 2 - (other - z) ** 2
    return values.mean(), bootstrap_error(np.mean, values)


def rf(set_name):
    return learned["random forest", set_name]


runner_up = min((metrics.mse(values, z), name) for (name, s), values in learned.items() if s == "29 columns" and name != "random forest")[1]
z_peak = predicted["z_peak of the catalogue (more bands)"]
claims = {
    "the forest is the best model (29 columns, against the next)": difference(rf("29 columns"), learned[runner_up, "29 columns"]),
    "irrelevant columns harm (five bands against all 29 columns)": difference(rf("5 bands"), rf("29 columns")),
    "colours help": difference(rf("5 bands + colours"), rf("5 bands")),
    "colours and bands beat all 29 columns": difference(rf("5 bands + colours"), rf("29 columns")),
    "irrelevant columns harm (colours, with ids and positions)": difference(harm["bands + colours"], harm["+ id and positions"]),
    "the forest is worse than z_peak, which had more bands": difference(z_peak, rf("5 bands + colours")),
    "the forest is worse than a template fit of the same bands": difference(fitted["template fit, mean"], rf("5 bands + colours")),
}


def verdict(value, error):
    return "not decided" if abs(value) < 2 * error else "holds" if value < 0 else "does not hold"


pd.DataFrame({claim: {"difference in MSE": format_number(*pair), "claim": verdict(*pair)} for claim, pair in claims.items()}).T

# %% [markdown]
# What holds on the mock: all 29 columns do worse than five bands (as raw fluxes against magnitudes), and features made with physics in mind help most. What does not: a random forest is not the best of all models here (boosted trees are ahead with the 29 columns, the perceptron in σ_NMAD), and it does not lose to the template fit where both see the same bands. It does lose to z_peak, as in the source, which had more of them.
#
# **Take home.** Compare on the same galaxies, with the same information, in more than one figure of merit, and beside a floor. Look for bands before methods. And remember whom spectra were taken of.

# %%
floors = {"MSE": predicted.get("floor: posterior mean"), "σ_NMAD": predicted.get("floor: posterior median")}
source_values = {"random forest, 29 columns": "0.1337 (3D-HST)", "linear, 29 columns": "0.2676 (3D-HST)"}
rows = {f"{name}, {s}": learned[name, s] for name, s in [("random forest", s) for s in feature_sets] + [("boosted trees, tuned", "5 bands + colours"), ("perceptron 256³", "5 bands + colours"), ("linear", "29 columns")]}
rows |= {"template fit, mean": fitted["template fit, mean"], "template fit, median": fitted["template fit, median"]} | best
for what, metric in (("MSE", metrics.mse), ("σ_NMAD", metrics.sigma_nmad)):
    for name, values in rows.items():
        limit = None if floors[what] is None or name.startswith("floor") else metric(floors[what], z)
        run.score(f"{what}: {name}", metric(values, z), bootstrap_error(metric, values, z), floor=limit, floor_name="posterior",
                  baseline=metric(predicted["constant guess"], z), baseline_name="constant guess",
                  source=source_values.get(name) if what == "MSE" else None)
run.score("σ_NMAD: z_peak, more bands", metrics.sigma_nmad(z_peak, z), bootstrap_error(metrics.sigma_nmad, z_peak, z), source="0.0197 (3D-HST)")
for name in cdfs:
    run.score(f"CRPS: {name}", crps[name].mean(), bootstrap_error(np.mean, crps[name]), baseline=crps["n(z) for everybody"].mean(),
              baseline_name="n(z)", floor=crps["floor"].mean() if galaxies.mock and name != "floor" else None, floor_name="posterior")
run.scoreboard()

# %% [markdown]
# **References.** R. Skelton et al. (2014), ApJS 214, 24: the catalogue. G. Brammer et al. (2008), ApJ 686, 1503: EAZY. N. Benítez (2000), ApJ 536, 571: the prior. R. Lupton, J. Gunn & A. Szalay (1999), AJ 118, 1406: asinh magnitudes. G. Coleman, C.-C. Wu & D. Weedman (1980), ApJS 43, 393: the templates. P. Madau (1995), ApJ 441, 18; D. Calzetti et al. (2000), ApJ 533, 682: absorption. L. Breiman (2001), Machine Learning 45, 5: forests and permutation importance. N. Meinshausen (2006), JMLR 7, 983. B. Henghes et al. (2021), MNRAS 505, 4847: a million SDSS galaxies, MSE 0.0042 (at low redshift: not comparable). I. Momcheva et al. (2016), arXiv:1510.07049: z_peak of 3D-HST.
