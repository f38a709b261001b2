"""Whether a run may be gone on with."""

from collections.abc import Mapping
from pathlib import Path

from pixie_runtime.body import BodyModel
from pixie_runtime.errors import UsageError
from pixie_train.config import ImageConfig
from pixie_train.picture_training.config import StageRun
from pixie_train.picture_training.described import differences
from pixie_train.picture_training.state import RunState
from pixie_train.processes import Processes

_FILES = ("--identity", "--albedo")
"""What older runs say among their data: where files were, not what was in them."""


def require_same_run(
    saved: RunState,
    run: StageRun,
    network: ImageConfig,
    body_model: BodyModel,
    folder: Path,
) -> None:
    """Refuse to go on with a run as another one.

    Raises:
        UsageError: with the names of the fields that differ.
    """
    other = differences(saved.run, run) + differences(
        saved.network, network, "network."
    )
    if other:
        raise UsageError(
            f"{folder} holds a run with another {', '.join(other)}; give the same "
            "options to resume it, or another --out"
        )
    if saved.body_model_sha256 != body_model.sha256:
        raise UsageError(
            f"{folder} holds a run for another body model than {body_model.name}; give "
            "the same --body-model to resume it, or another --out"
        )


def require_same_data(saved: RunState, said: Mapping[str, str], folder: Path) -> None:
    """Refuse to go on with a run on other data.

    Raises:
        UsageError: with the options that differ.
    """
    then = {name: value for name, value in saved.data.items() if name not in _FILES}
    _require_same_values(then, said, folder, "not said")


def require_same_files(saved: RunState, files: Mapping[str, str], folder: Path) -> None:
    """Refuse to go on with a run by files of another content.

    Runs of older versions do not say theirs; they are gone on with.

    Raises:
        UsageError: with the options that differ.
    """
    if saved.files is None:
        return
    then, now = (
        {
            name: f"a file with the SHA-256 {digest[:16]}"
            for name, digest in some.items()
        }
        for some in (saved.files, files)
    )
    _require_same_values(then, now, folder, "left out")


def _require_same_values(
    then: Mapping[str, str], now: Mapping[str, str], folder: Path, missing: str
) -> None:
    names = sorted(then.keys() | now.keys())
    other = [name for name in names if then.get(name) != now.get(name)]
    if other:
        name = other[0]
        raise UsageError(
            f"{folder} holds a run with another {', '.join(other)} ({name} was "
            f"{then.get(name, missing)}, now {now.get(name, missing)}); give the same "
            "options to resume it, or another --out"
        )


def require_same_step(processes: Processes, step: int, folder: Path) -> None:
    """Refuse processes that found different checkpoints; all of them must call it.

    Raises:
        UsageError: they did.
    """
    steps = processes.gathered(step)
    if len(set(steps)) > 1:
        raise UsageError(
            f"processes found different checkpoints in {folder}, of the steps "
            f"{', '.join(map(str, steps))}; let --out be a folder that all machines "
            "share"
        )
