import numpy as np
import pytest
from scipy import stats

from pixie_train.ablation.claims import Difference, Findings, Scores, compare, findings
from pixie_train.ablation.report import markdown, sentences
from pixie_train.ablation.scores import OUTPUTS, Table
from pixie_train.ablation.visible import Visible

PEOPLE = 200
SEEN = Visible({"body": 0.6}, {"body": 40.0}, shape_of_gender=36.0)
METRICS = ("all", "head", "left_hand", "right_hand")


def scores_of(seed: int, gain: float) -> Scores:
    """Return scores in which whatever the paper proposes is `gain` mm better."""
    random = np.random.default_rng(seed)
    base = np.random.default_rng(99).uniform(30, 50, PEOPLE).astype(np.float32)
    covered = np.random.default_rng(98).uniform(0, 1, (PEOPLE, 3)).astype(np.float32)
    gender = np.asarray(np.arange(PEOPLE) % 2, np.float32)

    def errors(less: float) -> np.ndarray:
        return base - less + random.normal(0, 1, PEOPLE)

    def table() -> Table:
        found = {
            f"{output}/{name}": errors(gain if output == "moderated" else 0)
            for output in OUTPUTS
            for name in (
                *(f"{m}_{kind}" for m in METRICS for kind in ("tr", "pa")),
                "shape",
                "shape_scaled",
            )
        }
        found |= {f"mean_body/{name}": base + 5 for name in ("shape", "shape_scaled")}
        found["weights"] = 0.9 - 0.5 * covered + random.normal(0, 0.01, covered.shape)
        return found | {"covered": covered, "gender": gender}

    levels = ("clean", "mild", "heavy", "sweep")
    tables = {
        f"{a}/{d}": table()
        for a in ("moderated", "separate", "experts")
        for d in levels
    }
    for arm, less in (("gendered", gain), ("ungendered", 0)):
        for level in ("clean", "mild"):
            tables[f"{arm}/{level}"] = {
                "shape": errors(less),
                "shape_scaled": errors(less),
                "gender": gender,
                "covered": covered,
            }
    return tables


@pytest.fixture(scope="module")
def proven() -> Findings:
    return findings([scores_of(seed, gain=3.0) for seed in range(3)])


def test_what_is_better_for_everybody_holds(proven: Findings) -> None:
    said = "\n".join(sentences(proven))
    assert said.count(": holds") == len(said.splitlines()) == 10


def test_what_is_better_for_nobody_does_not_hold() -> None:
    found = findings([scores_of(seed, gain=0.0) for seed in range(3)])
    lines = [line for line in sentences(found)[0].splitlines() if "falls" not in line]
    assert all("holds (" not in line for line in lines)


def test_what_is_worse_is_said_to_be_worse() -> None:
    found = findings([scores_of(seed, gain=-3.0) for seed in range(3)])
    assert {d.verdict for d in found.gendered} == {"worse"}
    assert "does not hold" in sentences(found)[0].splitlines()[0]


def test_a_difference_has_the_standard_error_of_paired_people() -> None:
    random = np.random.default_rng(0)
    ours, theirs = random.normal(40, 5, (2, 1, PEOPLE)).astype(np.float32)
    found = compare("shape clean", "a", "b", list(ours), list(theirs))
    paired = (ours - theirs)[0]
    assert found.mean == pytest.approx(paired.mean(), abs=1e-5)
    assert found.error == pytest.approx(stats.sem(paired), rel=1e-5)


def test_seeds_that_disagree_are_no_proof() -> None:
    found = Difference("shape clean", "a", "b", 1, 2, -1.0, (-2.5, 0.5), error=0.01)
    assert found.verdict == "no clear difference"


def test_confidence_is_binned_by_the_covered_share(proven: Findings) -> None:
    for part in proven.confidence:
        middle = (np.array(part.edges[:-1]) + part.edges[1:]) / 2
        np.testing.assert_allclose(part.weights, 0.9 - 0.5 * middle, atol=0.02)


def test_rank_correlation_is_spearmans() -> None:
    scores = scores_of(0, gain=0.0)
    table = scores["moderated/sweep"]
    for number, part in enumerate(findings([scores]).confidence):
        said = stats.spearmanr(table["covered"][:, number], table["weights"][:, number])
        assert part.correlation[0] == pytest.approx(said.statistic, abs=1e-9)


def test_women_and_men_are_reported_apart(proven: Findings) -> None:
    named = {d.metric for d in proven.gendered}
    assert {"shape clean, women", "shape clean, men"} <= named
    text = markdown(proven, SEEN)
    assert "| shape V2V, clean, women | gendered | ungendered |" in text


def test_shapes_worse_than_the_mean_body_show_nothing() -> None:
    scores = scores_of(0, gain=3.0)
    for name in ("shape", "shape_scaled"):
        scores["moderated/clean"][f"mean_body/{name}"] -= 30
    lines = sentences(findings([scores]))[0].splitlines()
    shapes = [line for line in lines if "hape" in line and "(a)" not in line]
    assert len(shapes) == 3
    assert all("not shown" in line for line in shapes)
