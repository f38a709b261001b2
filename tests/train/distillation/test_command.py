from pathlib import Path

import pytest

from pixie_runtime.errors import UsageError
from pixie_train.distillation.command import DistilOptions, run_distil
from pixie_train.picture_training.config import Machine


def test_more_processes_than_a_student_learns_in_are_refused_at_once(
    tmp_path: Path,
) -> None:
    options = DistilOptions(tmp_path / "teacher", machine=Machine(processes=2))
    with pytest.raises(UsageError, match="--processes is 2, but a student learns in"):
        run_distil(options)
