"""Circle fits with a regression, the source's networks, and what is said of both."""

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.evaluation.regression import rmse
from helpers.subjects import rings
from helpers.subjects.rings import findings
from helpers.subjects.rings.baselines import measure_with_circles, pca_svm
from helpers.subjects.rings.networks import convolutional, fully_connected


def test_circles_measure_all_five_parameters_better_than_their_spread():
    images = rings.simulate(600, seed=3)
    train, test = images.split(400, 200)
    found = measure_with_circles(test.images, train.images, train.ring)
    assert found.shape == test.ring.shape
    better = rmse(found, test.ring) / test.ring.std(axis=0)
    assert (better < [0.1, 0.1, 0.2, 1, 0.5]).all()


def test_the_machine_sees_training_rows_only_and_is_made_anew():
    first = pca_svm(5)
    assert first[0].n_components == 5 and first[-1].kernel == "rbf"
    assert first is not pca_svm(5) and not hasattr(first[0], "components_")


@pytest.mark.parametrize("network", [convolutional, fully_connected])
def test_a_network_gives_a_number_for_each_target(network):
    assert network(5)(torch.zeros(2, 1, 28, 28)).shape == (2, 5)


def test_the_fully_connected_network_is_the_one_of_the_source():
    weights = [weight.numel() for weight in fully_connected(6).parameters()]
    assert sum(weights) == 566_918
    assert sum(weights[-2:]) == 774


class Notes:
    """A run that notes what it is told."""

    def __init__(self):
        self.scores = {}
        self.verdicts = {}

    def score(self, what, value, error, **context):
        self.scores[what] = (value, error, context)

    def claim(self, claim, found, verdict):
        self.verdicts[claim] = (found, verdict)


@pytest.fixture
def run():
    return Notes()


RESIDUALS = {
    "circle fit": np.array([[3.0, 1.0], [-3.0, 1.0]]),
    "convolutional": np.array([[1.0, 2.0], [-1.0, -2.0]]),
    "posterior mean": np.zeros((2, 2)),
}


def test_scores_have_their_floor_and_their_baseline(run):
    findings.score_measuring(run, RESIDUALS, ("x", "deformation"), shown=("deformation",))
    ((value, _, context),) = run.scores.values()
    assert (value, context["baseline"], context["floor"]) == (2, 1, 0)
    right = np.array([True, True, True, False])
    findings.score_counting(run, right, baseline=0.5, ceiling=0.9)
    value, _, context = run.scores["one ring or two, network: accuracy"]
    assert (value, context["ceiling"], context["above"]) == (0.75, 0.9, findings.GOOD_COUNT)


def test_what_goes_through_z_stands_beside_the_score(run):
    judged = {"decoder": (1.2, 0.1), "cVAE, β = 1": (3.0, 0.1)}
    judged |= {"decoder, chances": (6.0, 0.1), "simulator again": (1.0, 0.1)}
    findings.score_generators(run, judged, {"cVAE, β = 1": 2.5})
    with_z, without = sorted(run.scores)
    assert "2.5 nat" in with_z and "nat" not in without


def test_the_worst_parameter_is_judged():
    judged = findings.judge({"one": 3 * RESIDUALS["convolutional"]}, RESIDUALS["convolutional"])
    assert judged["one"][0] == pytest.approx(3)
    assert findings.worst_of(np.array([[2.0, 9.0]]), np.array([[1.0, 3.0]])) == 3


@pytest.mark.parametrize(
    ("network", "verdict"), [(0.1, "holds"), (0.3, "does not hold here")], ids=["better", "worse"]
)
def test_a_verdict_follows_from_what_was_found(run, network, verdict):
    errors = pd.DataFrame(
        {"x": [0.2, network], "deformation": [0.2, 0.1]}, ["circle fit", "convolutional"]
    )
    accuracy = {"network": 0.99, "PCA 9 + SVM": 0.98}
    judged = {f"cVAE, β = {beta}": (1.2, 0.1) for beta in (1, 4)}
    nats = dict.fromkeys(judged, 0.0)
    findings.claims(run, accuracy, "PCA 9 + SVM", errors, judged, nats)
    assert run.verdicts["AI methods make the interpretation of the data more precise"][1] == verdict
    kinds = [verdict for _, verdict in run.verdicts.values()]
    assert len(kinds) == 5 and kinds.count("cannot be tested here") == 2


@pytest.mark.parametrize(("less", "verdict"), [(1.5, "holds"), (1.1, "does not hold here")])
def test_the_claim_on_training_sets_compares_two_fractions_of_one_set(run, less, verdict):
    generators = {"0.8": (4000, 1.3), "0.3": (1500, less), "0.8 of fewer": (1300, 1.5)}
    findings.claim_on_training_sets(run, generators)
    ((found, said),) = run.verdicts.values()
    assert said == verdict and "1500" in found and "1300" in found


def test_rounding_is_shown_beside_a_guess_whatever_it_is():
    true = np.array([[4.0, 7.0], [5.0, 8.0]])
    found = true + [[0.2, 0.6], [-0.2, 0.6]]
    for guess in (0.1, None, "a text"):
        table = findings.rounded(found, true, ("x", "y"), guess=guess, shown=2)
        assert list(table["RMSE [px]"]) == [0.2, 0.6] and list(table["rounded"]) == [0, 1]
        assert table["your guess"].iloc[0] == guess or guess is None
