"""A small course with three claims."""

import claimed
import pytest


@pytest.fixture
def course(tmp_path):
    return claimed.make(tmp_path)
