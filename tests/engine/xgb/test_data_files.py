from __future__ import annotations

import logging
from pathlib import Path

import pytest

from corelab.engine.xgb import data_files, text_formats
from corelab.engine.xgb.failures import AlgorithmError, UserError


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    root.mkdir(exist_ok=True)
    return root


def contents(folder: Path) -> list[str]:
    return sorted(path.read_text() for path in folder.iterdir())


def test_size_counts_every_file_of_the_tree(tmp_path: Path) -> None:
    assert data_files.size(write(tmp_path / "c", a="12", b__c__d="345")) == 5


def test_a_folder_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    assert data_files.size(tmp_path / "nowhere") == 0


def test_a_hidden_file_anywhere_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", a="1")
    write(folder / "sub", **{".DS_Store": "x"})
    with pytest.raises(
        UserError, match=r"^Hidden file found in the data path! Remove that before training.$"
    ):
        data_files.size(folder)


def test_only_the_first_leaf_folder_is_checked(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", top="x", sub__leaf="y")
    seen: list[str] = []
    data_files.check_first_lines(folder, lambda path: seen.append(path.name))
    assert seen == ["leaf"]


def test_the_check_leaves_out_marker_and_cache_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", _SUCCESS="", data="1", **{"x.dtrain.cache": "c", "y.cache": "d"})
    seen: list[str] = []
    data_files.check_first_lines(folder, lambda path: seen.append(path.name))
    assert sorted(seen) == ["data", "y.cache"]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere is not a valid path!$"):
        data_files.check_first_lines(tmp_path / "nowhere", text_formats.check_csv)


def test_files_three_levels_deep_become_one_flat_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write(tmp_path / "c", a="1", one__a="2", one__two__a="3")
    data_files.flatten([folder], tmp_path / "flat")
    assert contents(tmp_path / "flat") == ["1", "2", "3"]
    assert caplog.text == ""


def test_a_folder_too_deep_ends_the_scan_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write(tmp_path / "c", one__two__three__deep="4")
    data_files.flatten([folder], tmp_path / "flat")
    assert contents(tmp_path / "flat") == []
    assert (
        f"The depth of folder {folder}/one/two/three exceed the limit 3. Files in deeper sub dirs won't be loaded. "
        "Please adjust the folder structure accordingly."
    ) in caplog.messages


def test_several_folders_share_one_flat_folder_that_starts_empty(tmp_path: Path) -> None:
    train, validation = write(tmp_path / "train", data="1"), write(tmp_path / "validation", data="2")
    data_files.flatten([train], tmp_path / "flat")
    data_files.flatten([train, validation], tmp_path / "flat")
    assert contents(tmp_path / "flat") == ["1", "2"]


def test_flattening_a_folder_that_is_not_there_is_the_algorithms_error(tmp_path: Path) -> None:
    with pytest.raises(AlgorithmError, match=r"Unable to create symlinks"):
        data_files.flatten([tmp_path / "nowhere"], tmp_path / "flat")


def test_equal_names_and_sizes_look_like_the_same_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data_files.warn_of_same_data(write(tmp_path / "train", a="12"), write(tmp_path / "validation", a="34"))
    assert caplog.messages[0].startswith("Suspected identical files found. (")


def test_different_data_brings_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data_files.warn_of_same_data(
        write(tmp_path / "train", a="12", b="1"), write(tmp_path / "validation", a="345")
    )
    assert caplog.messages == []


def test_the_same_folder_for_both_channels_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data_files.warn_of_same_data(tmp_path / "x", tmp_path / "x")
    assert caplog.messages == [
        "Found same path for training and validation. This is not recommended and results may not be correct."
    ]


def test_missing_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^training data's path is not existed$"):
        data_files.warn_of_same_data(tmp_path / "train", tmp_path / "validation")
    write(tmp_path / "train", a="1")
    with pytest.raises(UserError, match=r"^validation data's path is not existed$"):
        data_files.warn_of_same_data(tmp_path / "train", tmp_path / "validation")


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        ("1,2,3", ","),
        ("1\t2\t3", "\t"),
        ("1;2;3", ";"),
        ("1 2 3", " "),
        ("1:2:3", ":"),
        ("1|2|3", "|"),
        ("1;2,5;3,5", ","),
        ("1|0.11|0.11", "1"),
        ("0.5", "5"),
    ],
)
def test_delimiters_are_sniffed_with_their_surprises(
    line: str, delimiter: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert text_formats.csv_delimiter(line) == delimiter
    assert caplog.messages == [f"Determined delimiter of CSV input is '{delimiter}'"]


def test_a_blank_first_line_has_no_delimiter(tmp_path: Path) -> None:
    write(tmp_path, data="\n1,2\n")
    with pytest.raises(
        UserError, match=r"^Could not determine delimiter on line \n:\nCould not determine delimiter$"
    ):
        text_formats.check_csv(tmp_path / "data")


def test_only_the_beginning_of_an_endless_first_line_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("1," * (2 << 20))
    assert len(text_formats.first_line(tmp_path / "data")) == 1 << 20


@pytest.mark.parametrize(
    "text", ["1 1:2 2:3\n", "1:0.5 1:2 2:3\n", "0\n1 3:1\n1 1:2 2:3\nanything,goes,now\n"]
)
def test_libsvm_lines_pass(text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, data=text)
    text_formats.check_libsvm(tmp_path / "data")
    assert caplog.messages == []


@pytest.mark.parametrize(
    "line",
    [
        "1,2,3",
        "1 1:2 2:3 ",
        "1  1:2 2:3",
        "1\t1:2\t2:3",
        "1 1:2 # comment",
        "a 1:2 2:3",
        "1:2:3 1:2 2:3",
        "1 1:2:3 2:3",
    ],
)
def test_other_lines_are_not_libsvm(line: str, tmp_path: Path) -> None:
    write(tmp_path, data=f"{line}\n")
    with pytest.raises(UserError) as error:
        text_formats.check_libsvm(tmp_path / "data")
    assert str(error.value) == (
        f"First line '{line}\n...' of file 'data' is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format."
    )


def test_csv_taken_for_libsvm_logs_the_label_it_did_not_find(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, data="1,2,3")
    with pytest.raises(UserError):
        text_formats.check_libsvm(tmp_path / "data")
    assert caplog.messages == ["1,2,3 does not follow LIBSVM label format <label>(:<weight>)."]


def test_libsvm_without_features_passes_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, data="1\n0\n")
    text_formats.check_libsvm(tmp_path / "data")
    assert caplog.messages == [
        "File data is not an invalid LIBSVM file but has no features. Accepting simple validation."
    ]
