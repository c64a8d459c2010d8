from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from waybill.errors import FileRefused, SchemaInvalid
from waybill.model.bundle import LaneOf
from waybill.validation.bundle_descriptor import parse_bundle
from waybill.validation.choosing import choose_entity
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.entity_files import load_bundles, load_entities
from waybill.validation.pinned import read_pinned

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.model.bundle import Bundle


def descriptor(*fields: str, **more: object) -> dict[str, Any]:
    named = [{"name": name, "type": "string"} for name in fields]
    return {"fields": named, "primaryKey": [fields[0]], **more}


USERS = descriptor("user", "mail", "password")
USERS["fields"][1]["waybill"] = {"aliases": ["E-Mail address"]}
USERS["fields"][2]["waybill"] = {"secret": True}
GROUPS = descriptor(
    "group", "about", waybill={"action": {"column": "op", "actions": {"D": "delete"}}}
)
LINKS = descriptor("user", "group", "mail")
ENTITIES = {"users": USERS, "groups": GROUPS, "links": LINKS}
ROSTER: dict[str, Any] = {
    "title": "Roster",
    "choices": [
        {"entity": "links", "all": ["user", "group"]},
        {"entity": "users", "all": ["user"], "any": ["mail", "password"]},
        {"entity": "groups", "any": ["group", "op"]},
    ],
}


def bundle_of(**changes: object) -> Bundle:
    entities = {name: parse_descriptor(raw, name=name) for name, raw in ENTITIES.items()}
    return parse_bundle({**ROSTER, **changes}, name="roster", entities=entities)


@pytest.mark.parametrize(
    ("header", "entity"),
    [
        (("user", "group"), "links"),
        (("Group", "note", "USER"), "links"),
        (("user", "mail"), "users"),
        (("e-mail address", "user", "anything"), "users"),
        (("group",), "groups"),
        (("op", "about"), "groups"),
        (("user", "mail", "_record", "_line", "_code"), "users"),
    ],
)
def test_the_first_choice_whose_columns_are_there_is_taken(
    header: tuple[str, ...], entity: str
) -> None:
    assert choose_entity(bundle_of(), header).name == entity


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (("usr", "mail"), "unknown column 'usr'; did you mean 'user'?"),
        (("user", "notes", "pasword"), "unknown column 'pasword'; did you mean 'password'?"),
        (("colour", "size"), "its first line names no known column"),
        (("colour;size",), "its first line names no known column; the columns seem to be parted"),
        (("user",), "it lacks 'group' of links"),
        (("mail", "password"), "it lacks 'user' of users"),
        (("about",), "it lacks one of 'group', 'op' of groups"),
        (("colour", "about"), "it lacks one of 'group', 'op' of groups"),
        (("about", "_record", "_line"), "it lacks one of 'group', 'op' of groups"),
        ((), "it has no columns"),
    ],
)
def test_a_header_of_no_choice_is_refused_with_what_is_unknown_or_lacking(
    header: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(FileRefused) as caught:
        choose_entity(bundle_of(), header)
    assert caught.value.code == "ENTITY_NOT_RECOGNISED"
    assert caught.value.message.startswith(f"the header is none of those of roster: {reason}")


def test_a_bundle_has_a_lane_of_its_own_unless_it_says_otherwise() -> None:
    assert bundle_of().lane is LaneOf.BUNDLE
    assert bundle_of(lane="project").lane is LaneOf.PROJECT


def test_a_bundle_has_the_secrets_of_all_its_entities() -> None:
    assert bundle_of().secret_fields == {"password"}


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({"choice": []}, "/choice", "unknown key 'choice'; did you mean 'choices'?"),
        ({"lane": "server"}, "/lane", "must be one of bundle, project"),
        ({"choices": []}, "/choices", "at least one choice"),
        ({"choices": [3]}, "/choices/0", "must be an object"),
        (
            {"choices": [{"entity": "user", "all": ["user"]}]},
            "/choices/0/entity",
            "there is no entity 'user'; did you mean 'users'?",
        ),
        ({"choices": [{"entity": "users"}]}, "/choices/0", "needs columns in 'all' or in 'any'"),
        (
            {"choices": [{"entity": "users", "all": ["user"], "any": ["mial"]}]},
            "/choices/0/any",
            "users has no column 'mial'; did you mean 'mail'?",
        ),
        (
            {
                "choices": [
                    {"entity": "users", "all": ["user"]},
                    {"entity": "links", "all": ["user", "group"]},
                ]
            },
            "/choices/1",
            "is never reached: choice 0 takes all of its files",
        ),
    ],
)
def test_a_wrong_bundle_is_refused_at_its_place(
    changes: dict[str, object], place: str, reason: str
) -> None:
    with pytest.raises(SchemaInvalid) as caught:
        bundle_of(**changes)
    assert caught.value.pointer == place
    assert reason in caught.value.message


def test_a_later_choice_that_an_alias_alone_reaches_is_taken() -> None:
    aliased = descriptor("user", "group")
    aliased["fields"][0]["waybill"] = {"aliases": ["login"]}
    entities = {
        "users": parse_descriptor(USERS, name="users"),
        "logins": parse_descriptor(aliased, name="logins"),
    }
    choices = [{"entity": "users", "all": ["user"]}, {"entity": "logins", "all": ["login"]}]
    bundle = parse_bundle({"choices": choices}, name="b", entities=entities)
    assert choose_entity(bundle, ("login",)).name == "logins"


def write_all(folder: Path, bundles: dict[str, object]) -> None:
    for part, described in (("entities", ENTITIES), ("bundles", bundles)):
        (folder / part).mkdir()
        for name, raw in described.items():
            (folder / part / f"{name}.json").write_text(json.dumps(raw))


def test_a_pinned_bundle_gives_the_same_bundle_again(tmp_path: Path) -> None:
    write_all(tmp_path, {"roster": {**ROSTER, "lane": "project"}})
    loaded = load_bundles(tmp_path / "bundles", load_entities(tmp_path / "entities"))["roster"]
    assert read_pinned(loaded.pinned, name="roster") == loaded.bundle
    assert load_bundles(tmp_path / "none", {}) == {}


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("users", ROSTER, "users.json: there is an entity 'users' already"),
        ("r", {"choices": 1}, "r.json: at /choices: must be an array"),
        ("1", ROSTER, "1.json: '1' is no name for a bundle"),
    ],
)
def test_a_bad_bundle_file_is_refused_by_name_and_reason(
    tmp_path: Path, name: str, raw: object, reason: str
) -> None:
    write_all(tmp_path, {name: raw})
    with pytest.raises(SchemaInvalid) as caught:
        load_bundles(tmp_path / "bundles", load_entities(tmp_path / "entities"))
    assert reason in caught.value.message


def test_a_bundle_of_two_sinks_is_refused() -> None:
    other = parse_descriptor({**GROUPS, "waybill": {"sink": "crm"}}, name="groups")
    entities = {"users": parse_descriptor(USERS, name="users"), "groups": other}
    with pytest.raises(SchemaInvalid, match="one and the same sink"):
        parse_bundle(
            {"choices": [ROSTER["choices"][1], {"entity": "groups", "all": ["group"]}]},
            name="b",
            entities=entities,
        )
