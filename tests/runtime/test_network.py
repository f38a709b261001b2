import hashlib
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixie_runtime.body import embedded_body_model
from pixie_runtime.bundle import embedded_bundle
from pixie_runtime.errors import BundleError, UsageError
from pixie_runtime.fusion_rules import FusionRules
from pixie_runtime.network import Network, fusion_rules, open_network
from pixie_runtime.options import Options
from pixie_runtime.rates import Rates
from tests.runtime.image_bundle import write_image_bundle


@pytest.fixture
def opened() -> Iterator["Opened"]:
    networks: list[Network] = []

    def open_and_keep(**given: Any) -> Network:
        networks.append(open_network(Options(demo=True, **given)))
        return networks[-1]

    yield open_and_keep
    for network in networks:
        network.estimator.close()


Opened = Callable[..., Network]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_bundle(tmp_path_factory.mktemp("bundles") / "tiny").folder


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({}, FusionRules(head_check="soft")),
        ({"fusion": "release"}, FusionRules.release()),
        ({"fusion": "paper"}, FusionRules.paper()),
        ({"fusion": "copy-paste"}, FusionRules.pasted()),
        ({"fusion": "body"}, FusionRules.naive()),
        ({"head_check": "off"}, FusionRules(head_check="off")),
        ({"fusion": "release", "head_check": "soft"}, FusionRules()),
    ],
)
def test_rules_are_the_named_ones_with_the_named_head_check(
    given: dict[str, Any], rules: FusionRules
) -> None:
    options = Options(demo=True, bundle=Path("b"), **given)
    assert fusion_rules(options) == rules


def test_without_a_bundle_the_one_that_ships_runs(opened: Opened) -> None:
    setup = opened().setup
    assert setup == {"bundle": "pixie-landmark", "body_model": "pixie-body"}


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({}, {"attention": "tracked", "fusion": "release", "head_check": "soft"}),
        (
            {"attention": "two-pass", "fusion": "paper"},
            {"attention": "two-pass", "fusion": "paper", "head_check": "release"},
        ),
        ({"part": "head"}, {"part": "head"}),
        ({"part": "hand"}, {"part": "hand"}),
    ],
)
def test_what_runs_of_an_image_bundle_is_said(
    opened: Opened, tiny: Path, given: dict[str, Any], chosen: dict[str, str]
) -> None:
    network = opened(bundle=tiny, **given)
    always = {"bundle": "tiny", "body_model": "pixie-body", "networks": "float32"}
    assert network.setup == {**always, **chosen}
    assert (network.estimator.n_betas, network.estimator.n_expression) == (10, 8)


def with_a_body_of_its_own(folder: Path) -> str:
    """Write a bundle whose body model is another file; return that one's sha256."""
    bundle = write_image_bundle(folder, with_body_file=True)
    body = bundle.body_model_path
    assert body is not None
    with np.load(body, allow_pickle=False) as arrays:
        contents = {name: arrays[name] for name in arrays.files}
    before = bundle.manifest.sha256[body.name]
    np.savez(body, **contents, note=np.array("the same body in another file"))
    after = hashlib.sha256(body.read_bytes()).hexdigest()
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace(before, after))
    return after


def test_a_bundle_s_own_body_is_used_unless_another_is_named(
    opened: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "with_body"
    own = with_a_body_of_its_own(folder)
    network = opened(bundle=folder)
    assert network.model.sha256 == own
    assert network.estimator.warning is None

    shipped = files("pixie_runtime") / "assets" / "body" / "pixie_body.npz"
    with as_file(shipped) as path:
        network = opened(bundle=folder, body_model=path)
    assert network.model.sha256 == embedded_body_model().sha256 != own
    assert network.estimator.warning is not None
    assert (network.estimator.n_betas, network.estimator.n_expression) == (0, 0)


@pytest.mark.parametrize(
    "given",
    [
        {"attention": "tracked"},
        {"fusion": "release"},
        {"head_check": "off"},
        {"part": "whole"},
    ],
)
def test_options_for_images_are_refused_by_a_bundle_for_landmarks(
    given: dict[str, Any],
) -> None:
    folder = embedded_bundle().folder
    with pytest.raises(UsageError) as caught:
        open_network(Options(demo=True, bundle=folder, **given))
    (option,) = given
    assert str(caught.value) == (
        f"--{option.replace('_', '-')}: only for bundles that look at images, but "
        "bundle pixie-landmark looks at landmarks"
    )


def test_a_bundle_of_an_unknown_kind_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    folder.mkdir()
    for path in tiny.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifest = folder / "manifest.json"
    text = manifest.read_text().replace('"kind": "image"', '"kind": "sound"')
    manifest.write_text(text)
    with pytest.raises(BundleError, match="kind is 'sound', expected landmark or ima"):
        open_network(Options(demo=True, bundle=folder))


def test_rates_are_said_and_reach_the_landmarks(opened: Opened, tiny: Path) -> None:
    """Landmarks that only say where to cut are not wanted in every frame."""
    network = opened(bundle=tiny, rates="body=2,hands=3")
    assert network.setup["rates"] == "body=2,hands=3,head=1"
    assert network.landmark_rates == Rates(body=2, hands=3, head=2)
    assert opened(bundle=tiny).landmark_rates == Rates(hands=2, head=2)
    assert opened().landmark_rates == Rates()
    assert opened(rates="hands=2").landmark_rates == Rates(hands=2)
    assert opened(bundle=tiny, part="hand").landmark_rates == Rates()


def test_a_body_known_by_its_landmarks_is_looked_at_in_every_frame(
    opened: Opened,
) -> None:
    with pytest.raises(UsageError, match="expected rates of hands and head only"):
        opened(rates="body=2")
    with pytest.raises(UsageError, match="looks at landmarks, and at nothing else"):
        opened(rates="landmarks=2")
