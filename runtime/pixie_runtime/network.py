"""Which network runs: from options to a bundle, its body model and its estimator.

Imports wait until a part is wanted, so that help is instant and the first frame soon.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from pixie_runtime.errors import UsageError
from pixie_runtime.options import Options
from pixie_runtime.pipeline import Estimator

if TYPE_CHECKING:
    from pixie_runtime.body import BodyModel
    from pixie_runtime.bundle import Bundle
    from pixie_runtime.engines import EngineMaker
    from pixie_runtime.fusion_rules import FusionRules
    from pixie_runtime.rates import Rates


class BundleEstimator(Estimator, Protocol):
    """An estimator that runs a bundle; it knows what its parameters are like."""

    @property
    def n_betas(self) -> int:
        """How many shape coefficients a person gets."""
        ...

    @property
    def n_expression(self) -> int:
        """How many expression coefficients a person gets."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What turns pictures of people into parameters, and what it is."""

    estimator: BundleEstimator
    model: "BodyModel"
    """The body that the parameters are for."""
    setup: Mapping[str, str]
    """What was opened, by name and in words: what a report and a status line say."""
    landmark_rates: "Rates"
    """How often the landmarks of hands and face are wanted."""


def open_bundle(options: Options) -> "Bundle":
    """Open the bundle that the options name, or the one that ships.

    Raises:
        BundleError: it cannot be used.
    """
    from pixie_runtime.bundle import Bundle, embedded_bundle

    folder = options.bundle
    return embedded_bundle() if folder is None else Bundle.open(folder)


def open_network(
    options: Options,
    maker: "EngineMaker | None" = None,
    *,
    bundle: "Bundle | None" = None,
) -> Network:
    """Open the bundle and the body model that the options name.

    Without options these are the ones that ship; a bundle that has a body model of its
    own is run with that one. `maker` opens the networks, ONNX Runtime by default.
    `bundle` is that of the options, if it is open already.

    Raises:
        ModelFileError, BundleError: the body model or the bundle cannot be used.
        EngineError: the maker's library or device cannot run a network.
        UsageError: options for image bundles are given, and the bundle is none.
    """
    from pixie_runtime.body import embedded_body_model, load_body_model

    bundle = bundle or open_bundle(options)
    path = options.body_model or bundle.body_model_path
    model = embedded_body_model() if path is None else load_body_model(path)
    estimator, chosen = _open_estimator(options, bundle, model, maker)
    setup = {"bundle": bundle.manifest.name, "body_model": model.name, **chosen}
    rates = options.part_rates
    if options.rates is not None:
        setup["rates"] = str(rates)
    if "attention" in chosen:
        rates = tracking_rates(rates)
    return Network(estimator, model, setup, rates)


def tracking_rates(rates: "Rates") -> "Rates":
    """Return how often landmarks are wanted that only say where to cut.

    In every second frame, hands and face in turns: moved along with the body in
    between, the squares are where they would be to 2 % of their side (median), and a
    quarter of the landmarks' time is saved. Experts that look more rarely need them no
    more often than that.
    """
    return replace(rates, hands=max(rates.hands, 2), head=max(rates.head, 2))


def fusion_rules(options: Options) -> "FusionRules":
    """Return the rules that the options ask for.

    Unasked, they are the release's with the head check made soft; `--fusion release` is
    the release to the letter.
    """
    from pixie_runtime.fusion_rules import FusionRules

    named = {
        None: FusionRules,
        "release": FusionRules.release,
        "paper": FusionRules.paper,
        "copy-paste": FusionRules.pasted,
        "body": FusionRules.naive,
    }
    rules = named[options.fusion]()
    if options.head_check is None:
        return rules
    return replace(rules, head_check=options.head_check)


def _open_estimator(
    options: Options,
    bundle: "Bundle",
    model: "BodyModel",
    maker: "EngineMaker | None",
) -> tuple[BundleEstimator, Mapping[str, str]]:
    """Return the estimator for the bundle, and what was chosen about it."""
    name = bundle.manifest.name
    if bundle.manifest.kind == "landmark":
        if options.part_rates.body > 1:
            raise UsageError(
                f"--rates {options.rates}: bundle {name} knows bodies by their "
                "landmarks, which lead to hands and face in every frame; expected "
                "rates of hands and head only"
            )
        if options.image_options:
            raise UsageError(
                f"{' and '.join(options.image_options)}: only for bundles that look at "
                f"images, but bundle {name} looks at landmarks"
            )
        if options.part_rates.landmarks > 1:
            raise UsageError(
                f"--rates {options.rates}: bundle {name} looks at landmarks, and at "
                "nothing else; expected rates of hands and head only"
            )
        from pixie_runtime.estimator import LandmarkEstimator

        return LandmarkEstimator(bundle, model, maker=maker), {}
    estimator, chosen = _open_image_estimator(options, bundle, model, maker)
    return estimator, {"networks": bundle.manifest.precision, **chosen}


def _open_image_estimator(
    options: Options,
    bundle: "Bundle",
    model: "BodyModel",
    maker: "EngineMaker | None",
) -> tuple[BundleEstimator, Mapping[str, str]]:
    """Return the estimator for a bundle that looks at images, whole or in part."""
    from pixie_runtime.resampling import Resampler, open_resampler

    part, of_pictures = options.part or "whole", options.images is not None
    # Pictures come out the same to the bit, whenever a compiler is done.
    resampler = Resampler() if of_pictures else open_resampler()
    if part != "whole":
        from pixie_runtime.part_estimator import PartEstimator

        experts = PartEstimator(
            bundle,
            model,
            part,
            whole_picture=of_pictures,
            maker=maker,
            resampler=resampler,
        )
        return experts, {"part": part}
    from pixie_runtime.image_estimator import ImageEstimator

    attention, rules = options.attention or "tracked", fusion_rules(options)
    estimator = ImageEstimator(
        bundle,
        model,
        attention=attention,
        rules=rules,
        rates=options.part_rates,
        maker=maker,
        resampler=resampler,
    )
    fusion = options.fusion or "release"
    chosen = {"attention": attention, "fusion": fusion, "head_check": rules.head_check}
    return estimator, chosen
