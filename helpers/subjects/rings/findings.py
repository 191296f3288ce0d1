"""What the notebook on rings found: its tables, its scoreboard, the verdicts on its source."""

import numpy as np
import pandas as pd

from helpers.evaluation.errors import bootstrap_error
from helpers.evaluation.regression import rmse

GOOD_COUNT = 0.985  # accuracy that the network is to reach
GOOD_MACHINE = 0.95  # accuracy from which a method tells one ring from two
GOOD_RECOVERY = 1.5  # of the judge's error on true images: then parameters are obeyed


def size_of(residuals):
    """Root mean square of each column of residuals."""
    return rmse(residuals, 0)


def errors_of(residuals, names):
    """Return the errors of several methods.

    Parameters
    ----------
    residuals : dict of str to array, shape (n, k)
        Predicted minus true.
    names : sequence of str
        Of the k parameters.

    Returns
    -------
    errors, shown : pandas.DataFrame
        Root mean square, a row a method; the same with its standard error, as text.
    """
    errors = pd.DataFrame({name: size_of(wrong) for name, wrong in residuals.items()}, names).T
    uncertain = {name: bootstrap_error(size_of, wrong) for name, wrong in residuals.items()}
    behind = pd.DataFrame(uncertain, names).T.map(" ± {:.3f}".format)
    return errors, errors.map("{:.3f}".format) + behind


def rounded(found, true, names, *, guess, shown=3):
    """Return what rounding to whole pixels does to the first parameters, as a table.

    Parameters
    ----------
    found, true : array, shape (n, k)
    names : sequence of str
        Of the k parameters.
    guess : float or None
        Of the error in x once rounded.
    shown : int
        So many parameters have true values that are whole.

    Returns
    -------
    pandas.DataFrame
    """
    whole = np.round(found[:, :shown])
    true = true[:, :shown]
    table = pd.DataFrame(index=list(names)[:shown])
    table["RMSE [px]"] = size_of(found[:, :shown] - true).round(3)
    table["rounded"] = size_of(whole - true).round(3)
    table["your guess"] = [guess, *[""] * (shown - 1)]
    table["share exactly right"] = (whole == true).mean(axis=0).round(3)
    return table


def worst_of(wrong, on_test):
    """Return the largest of the judge's errors, each in units of that on test images.

    Parameters
    ----------
    wrong, on_test : array, shape (n, k)
        Found minus wanted, of generated images; found minus true, of test images.

    Returns
    -------
    float
    """
    return float((size_of(wrong) / size_of(on_test)).max())


def judge(generated, on_test):
    """Return the judge's worst error and its standard error, by name.

    Parameters
    ----------
    generated : dict of str to array, shape (n, k)
        What the judge finds on generated images minus what was wanted.
    on_test : array, shape (n, k)

    Returns
    -------
    dict of str to (float, float)
    """
    judged = {}
    for name, wrong in generated.items():
        judged[name] = (worst_of(wrong, on_test), bootstrap_error(worst_of, wrong, on_test))
    return judged


def recovery(order, generated, on_test, names, nats):
    """Return what the judge says of generators, as a table.

    Parameters
    ----------
    order : pandas.DataFrame
        Of `helpers.plots.guesses.compare_order`.
    generated, on_test
        As `judge` takes them.
    names : sequence of str
        Of the k parameters.
    nats : dict of str to float
        What goes through z, of those that have one.

    Returns
    -------
    pandas.DataFrame
    """
    unit = size_of(on_test)
    recovered = {name: size_of(wrong) / unit for name, wrong in generated.items()}
    table = order.rename(columns={"value": "worst"}).join(pd.DataFrame(recovered, names).T)
    return table.join(pd.Series(nats, name="KL [nat]")).round(2)


def score_counting(run, right, baseline, ceiling):
    """Add the row on counting.

    Parameters
    ----------
    run : helpers.course.Run
    right : array of bool, shape (n,)
        Whether the network counted each test image rightly.
    baseline, ceiling : float
        Accuracies of components with a support vector machine, and of the best possible.
    """
    run.score(
        "one ring or two, network: accuracy",
        np.mean(right),
        bootstrap_error(np.mean, right),
        above=GOOD_COUNT,
        baseline=baseline,
        baseline_name="PCA + SVM",
        ceiling=ceiling,
        ceiling_name="coincident rings",
    )


def score_measuring(run, residuals, names, shown=("x", "deformation")):
    """Add a row for each of the parameters shown.

    Parameters
    ----------
    run : helpers.course.Run
    residuals : dict of str to array, shape (n, k)
        Predicted minus true, of "convolutional", "circle fit" and "posterior mean".
    names, shown : sequence of str
        Of the k parameters, and of those that get a row.
    """
    errors = {name: size_of(values) for name, values in residuals.items()}
    uncertain = bootstrap_error(size_of, residuals["convolutional"])
    for name in shown:
        k = list(names).index(name)
        run.score(
            f"measure a ring, network: RMSE of {name}",
            errors["convolutional"][k],
            uncertain[k],
            unit="px",
            baseline=errors["circle fit"][k],
            baseline_name="circle fit",
            floor=errors["posterior mean"][k],
            floor_name="posterior mean",
        )


def score_angle(run, wrong_by):
    """Add the row on ellipses.

    Parameters
    ----------
    run : helpers.course.Run
    wrong_by : dict of str to array, shape (n,)
        Errors of the angle in degrees, of "your code" and of "e and φ themselves".
    """
    error = wrong_by["your code"]
    run.score(
        "ellipse, shape in code: RMSE of the angle",
        size_of(error),
        bootstrap_error(size_of, error),
        unit="°",
        baseline=size_of(wrong_by["e and φ themselves"]),
        baseline_name="e and φ themselves",
    )


def score_generators(run, judged, nats, shown=("decoder", "cVAE, β = 1")):
    """Add a row for each of the generators shown.

    Parameters
    ----------
    run : helpers.course.Run
    judged : dict of str to (float, float)
        The judge's worst error in units of that on test images, and its error, by name; of
        "simulator again" and "decoder, chances" as well.
    nats : dict of str to float
        What goes through z, of those that have one.
    """
    for name in shown:
        flow = f" ({nats[name]:.1f} nat through z)" if name in nats else ""
        run.score(
            f"generate, {name}{flow}: judge's worst error / on test images",
            *judged[name],
            baseline=judged["decoder, chances"][0],
            baseline_name="chances as images",
            floor=judged["simulator again"][0],
            floor_name="simulator again",
        )


def _verdict(holds):
    return "holds" if holds else "does not hold here"


def claims(run, accuracy, machine, errors, judged, nats):
    """Say what became of the claims of the source.

    Parameters
    ----------
    run : helpers.course.Run
    accuracy : dict of str to float
        Of "network", and of the machine of this name.
    machine : str
        As "PCA 30 + SVM".
    errors : pandas.DataFrame
        RMSE in pixels, with a row for "circle fit" and "convolutional", and columns of parameters.
    judged : dict of str to (float, float)
    nats : dict of str to float
        Both as `score_generators` takes them, for "cVAE, β = 1" and "cVAE, β = 4".
    """
    run.claim(
        "one ring can be told from two without a neural network: PCA, then an SVM",
        f"accuracy {accuracy[machine]:.3f}; the network {accuracy['network']:.3f}",
        _verdict(accuracy[machine] > GOOD_MACHINE),
    )
    fit, network = (errors.loc[name, "x"] for name in ("circle fit", "convolutional"))
    wide, narrow = (errors.loc[name, "deformation"] for name in ("circle fit", "convolutional"))
    run.claim(
        "AI methods make the interpretation of the data more precise",
        f"RMSE of x: network {network:.2f} px, circle fit {fit:.2f} px; "
        f"of the deformation: {narrow:.2f} and {wide:.2f} px",
        _verdict(network < fit and narrow < wide),
    )
    first, fourth = (judged[f"cVAE, β = {beta}"][0] for beta in (1, 4))
    run.claim(
        "a conditional VAE generates rings of given parameters",
        f"judge's worst error × {first:.1f} for β = 1; × {fourth:.1f} for β = 4, "
        f"with {nats['cVAE, β = 4']:.1f} nat through z",
        _verdict(first < GOOD_RECOVERY),
    )
    toy = "the toy keeps the geometry only: no particles, no other light"
    run.claim("Cherenkov light is distinct and predictable", toy, "cannot be tested here")
    other = "there are no such images here"
    run.claim("the methods help with images of black holes", other, "cannot be tested here")


def claim_on_training_sets(run, generators):
    """Say what became of the source's claim on training sets.

    Parameters
    ----------
    run : helpers.course.Run
    generators : dict of str to (int, float)
        Number of training images and the judge's worst error, by fraction and size of the set: the
        whole set with the larger and the smaller fraction first, then smaller sets.
    """
    (_, most), (n_less, less), (n_same, same) = list(generators.values())[:3]
    run.claim(
        "different ratios of training to validation images make different losses",
        f"judge's worst error × {less:.1f} for 0.3 of a set ({n_less} images), × {most:.1f} for "
        f"0.8; but × {same:.1f} for 0.8 of a smaller one ({n_same} images): their number counts",
        _verdict(less > most),
    )
