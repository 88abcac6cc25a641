"""What a model archive may hold, and what stays closed."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from corelab.engine.xgb.serve.model_files import UnloadableModel, load_boosters


class LeavesATrace:
    """Unpickling this writes a file: a harmless stand-in for what a hostile archive would do."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.write_text, (self.trace, "code from the archive ran")


@pytest.mark.parametrize(
    ("form", "name"), [("deprecated", "xgboost-model"), ("json", "xgboost-model"), ("ubj", "m")]
)
def test_binary_json_and_ubjson_models_open_under_any_name(form, name, train, model_folder) -> None:
    booster = train()
    model_folder.joinpath(name).write_bytes(booster.save_raw(form))
    (loaded,) = load_boosters(model_folder, ensemble=True)
    assert loaded.save_raw("json") == booster.save_raw("json")


@pytest.mark.parametrize("name", ["model.json", "model.ubj"])
def test_a_file_saved_with_an_extension_opens(name, train, model_folder) -> None:
    train().save_model(model_folder / name)
    assert len(load_boosters(model_folder, ensemble=True)) == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_never_opened(protocol, model_folder, tmp_path) -> None:
    trace = tmp_path / "trace"
    body = pickle.dumps(LeavesATrace(trace), protocol)
    model_folder.joinpath("xgboost-model").write_bytes(body)
    with pytest.raises(UnloadableModel) as caught:
        load_boosters(model_folder, ensemble=True)
    assert str(caught.value).startswith(
        "Model /opt/ml/model/xgboost-model cannot be loaded:\nPickle load error="
    )
    assert "pickled models are not opened here" in str(caught.value)
    assert "\nXGB load model error=" in str(caught.value)
    assert not trace.exists()


def test_a_pickled_booster_is_refused_too(train, model_folder) -> None:
    model_folder.joinpath("model.pkl").write_bytes(pickle.dumps(train()))
    with pytest.raises(UnloadableModel, match=r"save the booster with Booster\.save_model"):
        load_boosters(model_folder, ensemble=True)


@pytest.mark.parametrize("body", [b"", b"notes", b"\x00" * 64, b"{", b'{"learner": 1}', b"binf", b"{L\x01"])
def test_a_stray_or_broken_file_is_no_model(body, model_folder) -> None:
    model_folder.joinpath("broken").write_bytes(body)
    with pytest.raises(UnloadableModel, match="Model /opt/ml/model/broken cannot be loaded"):
        load_boosters(model_folder, ensemble=True)


def test_an_empty_model_folder_has_the_containers_words(model_folder) -> None:
    with pytest.raises(UnloadableModel, match=r"^list index out of range$"):
        load_boosters(model_folder, ensemble=True)


def test_hidden_files_folders_and_links_are_passed_over(train, model_folder, tmp_path) -> None:
    body = train().save_raw("deprecated")
    for name in ("xgboost-model", "model2", ".DS_STORE", ".xgboost-model"):
        model_folder.joinpath(name).write_bytes(body if "model" in name else b"")
    model_folder.joinpath("code").mkdir()
    outside = tmp_path / "outside"
    outside.write_bytes(b"not in the archive")
    model_folder.joinpath("link").symlink_to(outside)
    assert len(load_boosters(model_folder, ensemble=True)) == 2


def test_the_refusal_shows_the_path_in_the_container(model_folder) -> None:
    model_folder.joinpath("x.json").write_bytes(b"{}")
    with pytest.raises(UnloadableModel) as caught:
        load_boosters(model_folder, ensemble=True)
    assert str(model_folder) not in str(caught.value)
