"""Entities whose records are stored in others: what a descriptor may say of it."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from waybill.errors import SchemaInvalid
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.entity_files import load_bundles, load_entities
from waybill.validation.pinned import parse_entities, read_pinned

if TYPE_CHECKING:
    from pathlib import Path


def text(name: str, **waybill: object) -> dict[str, Any]:
    return {"name": name, "type": "string", "waybill": waybill}


USERS = {
    "fields": [text("login"), text("mail"), text("password", secret=True)],
    "primaryKey": ["login"],
}
SEATS = {"fields": [text("login"), text("club"), text("role")], "primaryKey": ["login", "club"]}
JOIN: dict[str, Any] = {
    "fields": [text("login"), text("club"), text("role"), text("password", secret=True)],
    "primaryKey": ["login", "club"],
    "waybill": {
        "writes": [
            {"entity": "users", "fields": {"login": "login", "password": "password"}},
            {"entity": "seats", "fields": {"login": "login", "club": "club", "role": "role"}},
        ]
    },
}
ALL = {"join": JOIN, "users": USERS, "seats": SEATS}


def test_the_parts_are_the_entities_in_the_order_of_writing() -> None:
    join = parse_entities(ALL)["join"]
    assert [part.entity.name for part in join.parts] == ["users", "seats"]
    assert join.parts[1].fields == {"login": "login", "club": "club", "role": "role"}


def test_a_change_of_a_stored_entity_is_a_change_of_its_writer() -> None:
    other = {**ALL, "users": {**USERS, "title": "People"}}
    assert parse_entities(ALL)["join"].digest != parse_entities(other)["join"].digest


def changed(path: str, value: object) -> dict[str, Any]:
    descriptors = deepcopy(ALL)
    place: Any = descriptors
    *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in steps:
        place = place[step]
    place[last] = value
    return descriptors


WRITES = "join/waybill/writes"


@pytest.mark.parametrize(
    ("path", "value", "place", "reason"),
    [
        (WRITES, [], "/waybill/writes", "must name at least one entity"),
        (f"{WRITES}/0/entity", "user", "/waybill/writes/0/entity", "did you mean 'users'?"),
        (f"{WRITES}/0/from", {}, "/waybill/writes/0/from", "unknown key 'from'"),
        (
            f"{WRITES}/0/fields",
            {"login": "login", "pasword": "password"},
            "/waybill/writes/0/fields/pasword",
            "users has no field 'pasword'; did you mean 'password'?",
        ),
        (
            f"{WRITES}/0/fields/mail",
            "role_",
            "/waybill/writes/0/fields/mail",
            "join has no field 'role_'; did you mean 'role'?",
        ),
        (
            f"{WRITES}/0/fields/mail",
            "password",
            "/waybill/writes/0/fields/mail",
            "must be secret in both entities, or in none",
        ),
        (
            "users/fields/0/type",
            "integer",
            "/waybill/writes/0/fields/login",
            "'login' is of type string, 'login' of users is integer",
        ),
        (f"{WRITES}/1/fields", {"login": "login", "role": "role"}, "", "lacks 'club', of the key"),
        (
            "join/primaryKey",
            ["login"],
            "",
            "'club' must be required, for it is of the key of seats",
        ),
        ("users/uniqueKeys", [["mail"]], "", "users must have a key, no unique keys"),
        ("users/fields/2/constraints", {"unique": True}, "", "is unique in users"),
        ("join/fields/3/constraints", {"unique": True}, "", "does not go with unique fields"),
        ("join/waybill/open", True, "/waybill/open", "does not go with 'writes'"),
        ("join/waybill/sink", "crm", "/waybill/sink", "does not go with 'writes'"),
        ("users/waybill", {"sink": "crm"}, "/waybill/writes", "one and the same sink"),
        (f"{WRITES}/0/fields", {"login": "login"}, "", "the field 'password' is written nowhere"),
        (
            "join/foreignKeys",
            [{"fields": "role", "reference": {"resource": "", "fields": "club"}}],
            "/waybill/writes",
            "references to the entity itself",
        ),
        ("seats/waybill", {"writes": []}, "", "must name at least one entity"),
    ],
)
def test_writes_that_cannot_be_are_refused_at_their_place(
    path: str, value: object, place: str, reason: str
) -> None:
    with pytest.raises(SchemaInvalid) as caught:
        parse_entities(changed(path, value))
    assert reason in caught.value.message
    assert place in caught.value.pointer


def test_an_entity_that_writes_is_not_written_to() -> None:
    outer = deepcopy(JOIN)
    outer["waybill"]["writes"] = [
        {"entity": "join", "fields": {field["name"]: field["name"] for field in JOIN["fields"]}}
    ]
    with pytest.raises(SchemaInvalid, match="no 'writes'"):
        parse_descriptor(outer, name="outer", stored=parse_entities(ALL))


def test_a_need_of_new_records_needs_a_key() -> None:
    raw = {"fields": [text("note", requiredOnCreate=True)]}
    with pytest.raises(SchemaInvalid, match="needs a 'primaryKey'") as caught:
        parse_descriptor(raw, name="notes")
    assert caught.value.pointer == "/fields/0/waybill/requiredOnCreate"


def test_jobs_pin_the_entities_that_are_written(tmp_path: Path) -> None:
    bundle = {"choices": [{"entity": "join", "all": ["login", "club"]}]}
    for name, raw in ALL.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(raw))
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "b.json").write_text(json.dumps(bundle))
    loaded = load_entities(tmp_path)
    bundles = load_bundles(tmp_path / "bundles", loaded)
    assert read_pinned(loaded["join"].pinned, name="join") == loaded["join"].entity
    assert read_pinned(bundles["b"].pinned, name="b") == bundles["b"].bundle


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("users", None, "join.json: at /waybill/writes: there is no entity 'users'"),
        (
            "teams",
            {
                "fields": [text("login"), text("club")],
                "foreignKeys": [
                    {"fields": "login", "reference": {"resource": "join", "fields": "login"}}
                ],
            },
            "teams: records of join are stored in the entities that it writes",
        ),
    ],
)
def test_a_folder_with_a_lacking_or_a_misled_entity_is_refused(
    tmp_path: Path, name: str, raw: object, reason: str
) -> None:
    for each, described in {**ALL, name: raw}.items():
        if described is not None:
            (tmp_path / f"{each}.json").write_text(json.dumps(described))
    with pytest.raises(SchemaInvalid) as caught:
        load_entities(tmp_path)
    assert reason in caught.value.message
