"""Files that a run writes are none that it reads, and no two of them are the same."""

from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from pixie_runtime.errors import UsageError


def check_outputs(
    outputs: Iterable[tuple[str, Path]], inputs: Iterable[tuple[str, Path]]
) -> None:
    """Refuse outputs that would destroy something.

    Args:
        outputs: What each file to be written is, and where.
        inputs: The option that each file to be read is given by, and where it is.

    Raises:
        UsageError: an output is an input or another output, links followed.
    """
    outputs, inputs = list(outputs), list(inputs)
    for name, path in outputs:
        for option, read in inputs:
            if is_same_file(path, read):
                raise UsageError(
                    f"the {name} {path} would replace what {option} reads; name "
                    "another file"
                )
    for (name, path), (other_name, other) in combinations(outputs, 2):
        if is_same_file(path, other):
            raise UsageError(
                f"the {name} {path} and the {other_name} {other} would be one file; "
                "name another for one of them"
            )


def is_same_file(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, whether it exists yet or not.

    Devices, as `/dev/null`, keep nothing that could be lost.
    """
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.resolve() == other.resolve()
