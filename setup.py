"""What pyproject.toml can't say: the package holds the folder assets, which lies beside it."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[*find_namespace_packages(include=["minbert*", "trainer*"]), "minbert.assets"],
    package_dir={"minbert.assets": "assets"},
)
