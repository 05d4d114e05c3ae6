"""The small course, built once for each file and copied for each test."""

import shutil

import pytest
from verified import make

from dlcourse.release.course import reading


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return make(tmp_path_factory.mktemp("built")).root


@pytest.fixture
def course(built, tmp_path):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return reading.load(tmp_path)
