"""Draws adult bodies from MakeHuman's macro and local morph targets.

A macro target belongs to a combination of anchors (female, young, maxmuscle, ...); its
weight is the product of the linear interpolation weights of those anchors. Beyond an
end anchor the interpolation goes on linearly, which is how truly heavy bodies come
about: MakeHuman's own maximum is only moderately so.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from tools.bake_body.arrays import Float
from tools.bake_body.source import Source

ANCHORS: dict[str, tuple[tuple[float, str], ...]] = {
    "gender": ((0.0, "male"), (1.0, "female")),
    "age": ((1 / 3, "child"), (2 / 3, "young"), (1.0, "old")),
    "muscle": ((0.0, "minmuscle"), (0.5, "averagemuscle"), (1.0, "maxmuscle")),
    "weight": ((0.0, "minweight"), (0.5, "averageweight"), (1.0, "maxweight")),
    "height": ((0.0, "minheight"), (1.0, "maxheight")),
    "proportions": ((0.0, "idealproportions"), (1.0, "uncommonproportions")),
    "cupsize": ((0.0, "mincup"), (0.5, "averagecup"), (1.0, "maxcup")),
    "firmness": ((0.0, "minfirmness"), (0.5, "averagefirmness"), (1.0, "maxfirmness")),
}
"""Each phenotype's anchors: value and the word in the targets' file names."""

ORIGINS = ("african", "asian", "caucasian")
LABELS = (*ANCHORS, *ORIGINS)
"""Columns of a phenotype array."""

_FACE_WORDS = (
    "cheek",
    "chin",
    "ear",
    "eye",
    "forehead",
    "head",
    "mouth",
    "nose",
    "neck",
)
_LEFT_OUT = ("nipple", "pregnant", "navel", "breast-point", "bulge")
_FAT = {
    "stomach/stomach-tone-incr": -0.5,
    "stomach/stomach-pregnant-incr": 0.3,
    "torso/measure-waist-circ-incr": 0.4,
    "torso/measure-hips-circ-incr": 0.25,
    "torso/torso-scale-depth-incr": 0.3,
    "buttocks/buttocks-volume-incr": 0.3,
    "legs/l-upperleg-fat-incr": 0.4,
    "legs/r-upperleg-fat-incr": 0.4,
    "arms/l-upperarm-fat-incr": 0.4,
    "arms/r-upperarm-fat-incr": 0.4,
    "head/head-fat-incr": 0.4,
    "neck/neck-double-incr": 0.35,
    "neck/measure-neck-circ-incr": 0.25,
}
"""Local changes that go with being heavier than average, per unit of weight."""


@dataclass(frozen=True, slots=True, eq=False)
class MacroTargets:
    """The macro targets and the anchors that each is a product of."""

    names: tuple[str, ...]
    anchors: tuple[tuple[str, ...], ...]


def macro_targets(source: Source) -> MacroTargets:
    """List the macro targets of adults (and of the child anchor next to them)."""
    words = {label: [word for _, word in row] for label, row in ANCHORS.items()}
    body = [words[k] for k in ("gender", "age", "muscle", "weight")]
    parts: list[tuple[str, tuple[str, ...]]] = []
    folder = "macrodetails"
    for c in itertools.product(*body):
        parts.append((f"{folder}/universal-{'-'.join(c)}", c))
        for h in words["height"]:
            parts.append((f"{folder}/height/{'-'.join(c)}-{h}", (*c, h)))
        for p in words["proportions"]:
            parts.append((f"{folder}/proportions/{'-'.join(c)}-{p}", (*c, p)))
        for end in itertools.product(words["cupsize"], words["firmness"]):
            name = f"breast/{'-'.join((*c, *end))}"
            if c[0] == "female" and source.has_target(name):
                parts.append((name, (*c, *end)))
    for c in itertools.product(ORIGINS, words["gender"], words["age"]):
        parts.append((f"{folder}/{'-'.join(c)}", c))
    return MacroTargets(tuple(n for n, _ in parts), tuple(a for _, a in parts))


def macro_weights(phenotypes: Float, targets: MacroTargets) -> Float:
    """Return the targets' weights (M, K) for phenotypes (M, len(LABELS))."""
    of_word: dict[str, Float] = {}
    for column, label in enumerate(ANCHORS):
        of_word.update(_anchor_weights(phenotypes[:, column], ANCHORS[label]))
    origin = phenotypes[:, len(ANCHORS) :]
    origin = origin / origin.sum(1, keepdims=True)
    of_word.update({word: origin[:, k] for k, word in enumerate(ORIGINS)})
    columns = [np.prod([of_word[w] for w in words], 0) for words in targets.anchors]
    return np.stack(columns, 1)


def _anchor_weights(
    value: Float, anchors: tuple[tuple[float, str], ...]
) -> dict[str, Float]:
    at = np.array([a for a, _ in anchors])
    upper = np.clip(np.searchsorted(at, value), 1, len(at) - 1)
    share = (value - at[upper - 1]) / (at[upper] - at[upper - 1])
    weights: dict[str, Float] = {word: np.zeros(len(value)) for _, word in anchors}
    for k, (_, word) in enumerate(anchors):
        weights[word] += np.where(upper == k, share, 0.0)
        weights[word] += np.where(upper - 1 == k, 1.0 - share, 0.0)
    return weights


def draw_phenotypes(rng: np.random.Generator, count: int) -> Float:
    """Draw adults, (count, len(LABELS)): two genders, all origins, all weights.

    Height is centred so that men come out 1.75 m and women 1.62 m tall on average.
    Weight reaches beyond MakeHuman's maximum, muscle follows it a little.
    """
    female = rng.random(count) < 0.5
    gender = np.where(female, 0.94, 0.06) + rng.normal(0, 0.06, count)
    weight = rng.normal(0.62, 0.3, count)
    weight += 0.4 * rng.exponential(1.0, count) * (rng.random(count) < 0.25)
    columns = {
        "gender": np.clip(gender, 0, 1),
        "age": np.clip(rng.beta(1.3, 2.0, count) * 0.45 + 0.55, 0, 1),
        "muscle": rng.normal(0.5, 0.17, count) + 0.1 * (weight - 0.62),
        "weight": np.clip(weight, -0.1, 1.6),
        "height": np.where(female, 0.355, 0.375) + rng.normal(0, 0.062, count),
        "proportions": rng.normal(0.55, 0.2, count),
        "cupsize": rng.normal(0.5, 0.17, count),
        "firmness": rng.normal(0.5, 0.17, count),
    }
    for label in ("muscle", "proportions", "cupsize", "firmness"):
        columns[label] = np.clip(columns[label], 0, 1)
    columns["height"] = np.clip(columns["height"], 0.05, 0.9)
    origin = rng.dirichlet([0.7, 0.7, 0.7], count)
    return np.column_stack([*(columns[label] for label in ANCHORS), origin])


def draw_local_changes(
    rng: np.random.Generator, names: list[str], weight: Float
) -> Float:
    """Draw local changes in [-1, 1], (count, len(names)); names are the rising ends.

    Left and right are nearly equal, sideways shifts are small, and some soft parts grow
    with `weight` (count,).
    """
    count = len(weight)
    changes = np.zeros((count, len(names)))
    drawn: dict[str, Float] = {}
    for column, name in enumerate(names):
        word = name.split("/")[1]
        spread = _spread(word)
        pair = word[2:] if word[:2] in ("l-", "r-") else ""
        if pair in drawn:
            change = drawn.pop(pair) + rng.normal(0, spread * 0.12, count)
        else:
            change = rng.normal(0, spread, count)
            if pair:
                drawn[pair] = change
        if not pair and ("trans-out" in word or "trans-in" in word):
            change = change * 0.15
        heavy = np.clip(weight - 0.5, -0.3, 1.2)
        changes[:, column] = change + _FAT.get(name, 0.0) * heavy
    return np.clip(changes, -1, 1)


def _spread(word: str) -> float:
    if any(part in word for part in _LEFT_OUT):
        return 0.0
    if any(part in word for part in _FACE_WORDS):
        return 0.28
    if "measure" in word:
        return 0.12
    return 0.05 if "trans" in word else 0.15


_PRODUCTS = (
    ("gender", "weight"),
    ("gender", "muscle"),
    ("height", "weight"),
    ("weight", "weight"),
)


def regressors(phenotypes: Float) -> tuple[list[str], Float]:
    """Return labels and columns (M, L) from which shape coefficients are predicted.

    The phenotypes themselves and a few products; the origins sum to one and so stand
    for the constant.
    """
    column = {label: phenotypes[:, k] for k, label in enumerate(LABELS)}
    for a, b in _PRODUCTS:
        column[f"{a}*{b}"] = column[a] * column[b]
    return list(column), np.stack(list(column.values()), 1)
