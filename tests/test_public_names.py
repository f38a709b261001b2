"""Every `__all__` is sorted, complete and true."""

import importlib
import pkgutil

import pytest

import pixie_runtime


def packages() -> list[str]:
    walked = pkgutil.walk_packages(pixie_runtime.__path__, "pixie_runtime.")
    return ["pixie_runtime", *(module.name for module in walked if module.ispkg)]


def exports(name: str) -> list[str]:
    return list(getattr(importlib.import_module(name), "__all__", []))


@pytest.mark.parametrize("name", packages())
def test_every_exported_name_exists_and_the_list_is_sorted(name: str) -> None:
    assert exports(name) == sorted(exports(name))
    for exported in exports(name):
        assert hasattr(importlib.import_module(name), exported)


@pytest.mark.parametrize("name", [n for n in packages() if exports(n)])
def test_what_a_package_reexports_is_in_its_list(name: str) -> None:
    reexported = {
        attribute
        for attribute, value in vars(importlib.import_module(name)).items()
        if not attribute.startswith("_")
        and getattr(value, "__module__", "").startswith(name + ".")
    }
    assert reexported <= set(exports(name))
