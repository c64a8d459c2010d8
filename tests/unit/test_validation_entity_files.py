from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from waybill.errors import SchemaInvalid
from waybill.validation.entity_files import load_entities
from waybill.validation.pinned import read_pinned

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = {"fields": [{"name": "id", "type": "integer"}], "primaryKey": ["id"]}


def test_json_and_yaml_descriptors_give_the_same_entity(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(FIELDS))
    (tmp_path / "two.yaml").write_text("fields:\n- {name: id, type: integer}\nprimaryKey: [id]\n")
    (tmp_path / "notes.txt").write_text("passed over")
    loaded = load_entities(tmp_path)
    assert list(loaded) == ["one", "two"]
    assert loaded["one"].entity.fields == loaded["two"].entity.fields
    assert loaded["one"].pinned == loaded["two"].pinned


def test_a_pinned_descriptor_gives_the_same_entity_again(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(FIELDS))
    loaded = load_entities(tmp_path)["one"]
    assert read_pinned(loaded.pinned, name="one") == loaded.entity


def test_a_directory_that_is_not_there_has_no_entities(tmp_path: Path) -> None:
    assert load_entities(tmp_path / "none") == {}


def refusal_of(file: Path, text: str) -> str:
    """Why a folder with that file is refused."""
    file.write_text(text)
    with pytest.raises(SchemaInvalid) as caught:
        load_entities(file.parent)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("one.json", "{", "one.json: cannot be read"),
        ("one.yaml", "a: [", "one.yaml: cannot be read"),
        ("one.yaml", "!!python/object/apply:os.system [x]", "one.yaml: cannot be read"),
        ("one.json", "[]", "one.json: must be an object"),
        ("1.json", "{}", "no name for an entity"),
        ("one.json", '{"fields": []}', "one.json: at /fields: must be an array"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_reason(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    assert reason in refusal_of(tmp_path / name, text)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.json", '{"fields": [{"name": "x", "name": "y"}]}', "'name' stands twice"),
        ("a.yaml", "fields:\n  - name: x\n    name: y\n", "'name' stands twice, again in line 3"),
        (
            "a.yaml",
            "fields:\n  - {name: x, type: string, constraints: {enum: [NO, DE]}}\n",
            "/fields/0/constraints/enum/0: False must be text: quote it",
        ),
    ],
)
def test_a_descriptor_that_could_mean_two_things_is_refused(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    assert reason in refusal_of(tmp_path / name, text)


def test_one_name_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(FIELDS))
    (tmp_path / "one.yaml").write_text(json.dumps(FIELDS))
    with pytest.raises(SchemaInvalid, match="twice"):
        load_entities(tmp_path)


@pytest.mark.parametrize(
    ("resource", "field", "pointer"),
    [
        ("stors", "id", "/foreignKeys/0/reference/resource"),
        ("stores", "code", "/foreignKeys/0/reference/fields"),
    ],
)
def test_a_foreign_key_to_nothing_is_refused(
    tmp_path: Path, resource: str, field: str, pointer: str
) -> None:
    key: dict[str, object] = {
        "fields": ["id"],
        "reference": {"resource": resource, "fields": [field]},
    }
    (tmp_path / "stores.json").write_text(json.dumps(FIELDS))
    (tmp_path / "users.json").write_text(json.dumps({**FIELDS, "foreignKeys": [key]}))
    with pytest.raises(SchemaInvalid, match="users") as caught:
        load_entities(tmp_path)
    assert caught.value.pointer == pointer
    key["waybill"] = {"or": [key["reference"]]}
    key["reference"] = {"resource": "", "fields": ["id"]}
    (tmp_path / "users.json").write_text(json.dumps({**FIELDS, "foreignKeys": [key]}))
    with pytest.raises(SchemaInvalid) as caught:
        load_entities(tmp_path)
    assert caught.value.pointer == pointer.replace("reference", "waybill/or/0")


def test_dates_of_yaml_are_texts(tmp_path: Path) -> None:
    rules = "constraints: {minimum: 2024-01-31}"
    (tmp_path / "one.yaml").write_text(f"fields: [{{name: a, type: date, {rules}}}]")
    loaded = load_entities(tmp_path)["one"]
    assert loaded.entity.fields[0].constraints.minimum == "2024-01-31"
