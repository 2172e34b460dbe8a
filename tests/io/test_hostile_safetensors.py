"""Every crafted file is refused for its defect, or loads as the format says."""

import re

import numpy as np
import pytest
from hostile_safetensors import CASES, SOUND, content

from dotori.errors import FormatError
from dotori.io.safetensors import load, load_file

DEFECTS = {name: case for name, case in CASES.items() if case[1] is not None}


def test_there_are_at_least_45():
    assert len(DEFECTS) >= 45


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_named(name):
    pattern = DEFECTS[name][1]
    with pytest.raises(FormatError) as caught:
        load(content(name))
    assert re.search(pattern, str(caught.value)), str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", SOUND)
def test_odd_but_sound_files_load(name, tmp_path):
    path = tmp_path / "sound.safetensors"
    path.write_bytes(SOUND[name][0])
    for array in load_file(path).values():
        assert array.dtype == np.float32
        assert array.flags.writeable


@pytest.mark.parametrize("name", SOUND)
def test_what_is_called_sound_is_sound_to_the_reference(name):
    """The package is the independent judge of the files that we accept."""
    from safetensors.numpy import load as load_by_package

    data = SOUND[name][0]
    ours, theirs = load(data), load_by_package(data)
    assert ours.keys() == theirs.keys()
    for key, array in ours.items():
        np.testing.assert_array_equal(array, theirs[key], strict=True)


def test_a_file_s_error_begins_with_its_name(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(CASES["offsets: reversed"][0])
    with pytest.raises(FormatError, match=r"model\.safetensors: array 'w': data_off"):
        load_file(path)
