from __future__ import annotations

import pytest

from waybill.errors import SchemaInvalid
from waybill.model.entity import ActionColumn, Entity, FieldType, ForeignKey, Trim
from waybill.validation.descriptor import parse_descriptor


def parse(*fields: dict[str, object], **schema: object) -> Entity:
    return parse_descriptor({"fields": list(fields), **schema}, name="sample")


def refusal(*fields: dict[str, object], **schema: object) -> SchemaInvalid:
    with pytest.raises(SchemaInvalid) as caught:
        parse(*fields, **schema)
    return caught.value


def test_a_field_without_type_takes_any_value() -> None:
    assert parse({"name": "a"}).fields[0].type is FieldType.ANY


def test_our_keys_of_a_field_are_read() -> None:
    ours = {"aliases": ["b", "c"], "default": 5, "trim": True, "secret": True}
    field = parse({"name": "a", "type": "integer", "waybill": ours}).fields[0]
    assert (field.aliases, field.default, field.trim, field.secret) == (
        ("b", "c"),
        "5",
        Trim.BOTH,
        True,
    )


def test_our_keys_of_a_schema_are_read() -> None:
    action = {"column": "op", "actions": {"D": "delete", "Set ": "upsert"}}
    entity = parse({"name": "a"}, waybill={"open": True, "sink": "mine", "action": action})
    assert entity.action == ActionColumn(name="op", actions={"d": "delete", "set": "upsert"})
    assert (entity.is_open, entity.sink) == (True, "mine")


def test_keys_may_be_one_name_as_in_version_one() -> None:
    reference = {"resource": "others", "fields": "id"}
    entity = parse(
        {"name": "a"},
        primaryKey="a",
        foreignKeys=[{"fields": "a", "reference": reference}],
        uniqueKeys=[["a"]],
    )
    assert entity.key == ("a",)
    assert entity.unique_keys == (("a",),)
    assert entity.foreign_keys == (
        ForeignKey(fields=("a",), reference_entity="others", reference_fields=("id",)),
    )


def test_missing_values_may_have_labels_and_fields_have_their_own() -> None:
    entity = parse(
        {"name": "a"},
        {"name": "b", "missingValues": ["-"]},
        missingValues=[{"value": "", "label": "none"}, "NA"],
    )
    assert [field.missing_values for field in entity.fields] == [("", "NA"), ("-",)]


def test_standard_properties_that_change_nothing_are_taken() -> None:
    parse(
        {"name": "a", "title": "A", "description": "", "example": "x", "rdfType": "http://x"},
        name="sample",
        title="Sample",
        fieldsMatch="subset",
        **{"$schema": "https://datapackage.org/profiles/2.0/tableschema.json", "dc:source": "x"},
    )


def test_equal_descriptors_have_equal_digests() -> None:
    assert parse({"name": "a"}).digest == parse({"name": "a"}).digest
    assert parse({"name": "a"}).digest != parse({"name": "b"}).digest


def test_numbers_in_constraints_become_text_of_the_field() -> None:
    rules = {"minimum": 1.5, "enum": [2, 2.5]}
    field = parse({"name": "a", "type": "number", "decimalChar": ",", "constraints": rules}).fields[
        0
    ]
    assert (field.constraints.minimum, field.constraints.enum) == ("1,5", ("2", "2,5"))


@pytest.mark.parametrize(
    ("field", "pointer", "reason"),
    [
        ({"name": "a", "constrains": {}}, "/constrains", "did you mean 'constraints'"),
        ({"name": "a", "type": "strin"}, "/type", "did you mean 'string'"),
        ({"name": "a", "waybill": {"alias": []}}, "/waybill/alias", "did you mean 'aliases'"),
        ({"name": "a", "title": 1}, "/title", "must be text"),
        ({"name": "_a"}, "/name", "must not begin with"),
        ({"type": "string"}, "/name", "must be text"),
        ({"name": "a" * 257}, "/name", "longer than 256"),
        ({"name": "a", "type": "date", "format": "%Q"}, "/format", "strptime"),
        ({"name": "a", "type": "date", "format": "%d %Q"}, "/format", "%Q"),
        ({"name": "a", "type": "string", "format": "mail"}, "/format", "known: default, email"),
        ({"name": "a", "decimalChar": ","}, "/decimalChar", "fields of type number"),
        ({"name": "a", "type": "number", "groupChar": "."}, "/decimalChar", "same as groupChar"),
        ({"name": "a", "type": "list", "itemType": "any"}, "/itemType", "must be one of"),
        ({"name": "a", "type": "boolean", "trueValues": ["0"]}, "/trueValues", "falseValues"),
        ({"name": "a", "missingValues": [1]}, "/missingValues/0", "must be an object"),
        ({"name": "a", "categories": ["x"]}, "/categories", "string or integer"),
        ({"name": "a", "type": "string", "categories": [None]}, "/categories", "texts"),
        ({"name": "a", "type": "string", "categories": []}, "/categories", "texts"),
        ({"name": "a", "missingValues": [{"label": "x"}]}, "/missingValues/0", "needs 'value'"),
        ({"name": "a", "missingValues": 1}, "/missingValues", "must be an array"),
        ({"name": "a", "waybill": {"trim": "left"}}, "/waybill/trim", "must be true"),
        ({"name": "a", "waybill": {"aliases": [1]}}, "/waybill/aliases", "item 0 must be text"),
        ({"name": "a", "waybill": {"kinds": "number"}}, "/waybill/kinds", "must be an array"),
        ({"name": "a", "waybill": {"kinds": []}}, "/waybill/kinds", "at least one kind"),
        ({"name": "a", "waybill": {"kinds": ["numbr"]}}, "/waybill/kinds", "mean 'number'"),
        (
            {"name": "a", "type": "string", "waybill": {"kinds": ["string", "object"]}},
            "/waybill/kinds",
            "no object is a value of the type string",
        ),
        (
            {"name": "a", "type": "integer", "waybill": {"kinds": ["boolean"]}},
            "/waybill/kinds",
            "no boolean is a value of the type integer",
        ),
        (
            {"name": "a", "type": "list", "waybill": {"kinds": ["array"]}},
            "/waybill/kinds",
            "no array is a value of the type string",
        ),
        (
            {"name": "a", "type": "object", "waybill": {"kinds": ["string"]}},
            "/waybill/kinds",
            "no string is a value of the type object",
        ),
        (
            {"name": "a", "type": "geopoint", "waybill": {"kinds": ["string"]}},
            "/waybill/kinds",
            "its format says it",
        ),
        ({"name": "a", "waybill": {"aliases": ["x", "x"]}}, "/waybill/aliases", "twice"),
        ({"name": "a", "type": "number", "groupChar": "1"}, "/groupChar", "letters, digits"),
        ({"name": "a", "type": "list", "delimiter": ""}, "/delimiter", "empty"),
        ({"name": "a", "type": "boolean", "trueValues": []}, "/trueValues", "empty"),
        *(
            ({"name": "a", "type": kind, "format": "odd"}, "/format", "format")
            for kind in ("any", "boolean", "list", "object", "array", "geojson", "geopoint")
        ),
        *(
            ({"name": "a", "type": kind, "format": "odd"}, "/format", "no format")
            for kind in ("integer", "number", "year", "yearmonth", "duration")
        ),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(
    field: dict[str, object], pointer: str, reason: str
) -> None:
    error = refusal(field)
    assert error.pointer == "/fields/0" + pointer
    assert reason in error.message


@pytest.mark.parametrize(
    ("kind", "rules", "pointer", "reason"),
    [
        ("integer", {"minimum": "x"}, "/minimum", "'x' is no value of 'a'"),
        ("date", {"maximum": "2024-13-01"}, "/maximum", "no value"),
        ("integer", {"enum": ["1", "b"]}, "/enum/1", "'b' is no value"),
        ("string", {"enum": []}, "/enum", "at least one"),
        ("string", {"minimum": 1}, "/minimum", "does not apply to fields of type string"),
        ("integer", {"pattern": "a"}, "/pattern", "does not apply"),
        ("integer", {"maxLength": 3}, "/maxLength", "does not apply"),
        ("string", {"maxLength": -1}, "/maxLength", "0 or more"),
        ("string", {"minLength": 3, "maxLength": 2}, "/minLength", "more than maxLength"),
        ("integer", {"minimum": 10, "maximum": 9}, "", "no value lies between 10 and 9"),
        ("integer", {"minimum": 9, "exclusiveMaximum": 9}, "", "no value lies"),
        ("date", {"minimum": "2024-02-01", "maximum": "2024-01-31"}, "", "no value lies"),
        ("string", {"required": "yes"}, "/required", "true or false"),
        ("object", {"jsonSchema": []}, "/jsonSchema", "must be an object"),
        ("object", {"jsonSchema": {"type": "thing"}}, "/jsonSchema/type", "no JSON Schema"),
        ("list", {"jsonSchema": {}}, "/jsonSchema", "does not apply"),
    ],
)
def test_a_wrong_constraint_is_refused_with_its_place(
    kind: str, rules: dict[str, object], pointer: str, reason: str
) -> None:
    error = refusal({"name": "a", "type": kind, "constraints": rules})
    assert error.pointer == "/fields/0/constraints" + pointer
    assert reason in error.message


def test_bounds_that_leave_one_value_are_taken() -> None:
    parse({"name": "a", "type": "number", "constraints": {"minimum": 9, "maximum": "9.0"}})


@pytest.mark.parametrize("pattern", ["(a{1000}){1000}", r"(a)\1", "a(?=b)", "(", "a" * 513])
def test_a_pattern_that_cannot_run_in_linear_time_is_refused(pattern: str) -> None:
    error = refusal({"name": "a", "type": "string", "constraints": {"pattern": pattern}})
    assert error.code == "PATTERN_UNSUPPORTED"
    assert error.pointer == "/fields/0/constraints/pattern"


@pytest.mark.parametrize(
    ("schema", "pointer", "reason"),
    [
        ({"primaryKey": ["idd"]}, "/primaryKey", "did you mean 'id'"),
        ({"primaryKey": []}, "/primaryKey", "at least one"),
        ({"uniqueKeys": [["x"]]}, "/uniqueKeys/0", "no field 'x'"),
        ({"uniqueKeys": []}, "/uniqueKeys", "empty"),
        ({"foreignKeys": [{"fields": ["id"]}]}, "/foreignKeys/0", "reference"),
        (
            {"foreignKeys": [{"fields": ["id"], "reference": {"fields": ["x"]}}]},
            "/foreignKeys/0/reference/fields",
            "no field 'x'",
        ),
        (
            {"foreignKeys": [{"fields": "id", "reference": {"resource": "o", "fields": []}}]},
            "/foreignKeys/0/reference/fields",
            "as many",
        ),
        ({"fieldsMatch": "some"}, "/fieldsMatch", "one of"),
        ({"waybill": {"action": {"actions": {}}}}, "/waybill/action/column", "column"),
        ({"waybill": {"action": {"column": "op"}}}, "/waybill/action/actions", "must map"),
        ({"waybill": []}, "/waybill", "must be an object"),
        ({"title": {1, 2}}, "/title", "must be text"),
        ({"keywords": object()}, "", "is not JSON"),
        (
            {"waybill": {"action": {"column": "op", "actions": {"x": "destroy"}}}},
            "/waybill/action/actions/x",
            "must be one of",
        ),
        ({"waybill": {"opn": True}}, "/waybill/opn", "did you mean 'open'"),
    ],
)
def test_a_wrong_schema_is_refused_with_its_place(
    schema: dict[str, object], pointer: str, reason: str
) -> None:
    error = refusal({"name": "id"}, **schema)
    assert error.pointer == pointer
    assert reason in error.message


FEED_FIELDS = [{"name": name, "type": "string"} for name in ("owner", "kind", "key")] + [
    {"name": "attributes", "type": "object", "waybill": {"patched": True}}
]
FEED_KEY = ["owner", "kind", "key"]
PARTITION = {"field": "kind", "owners": {"variant": "product"}}
FEED = {
    "elements": {"product": {"key": "k"}, "variant": {"key": "v", "inside": "product"}},
    "wrappers": {"variants": "variant"},
    "reserved": ["add"],
}
ACTION = {
    "column": "operation",
    "actions": {"add": "upsert", "update": "update", "remove": "remove"},
}


def test_a_feed_and_its_partition_are_read() -> None:
    ours = {"partition": PARTITION, "feed": FEED, "action": ACTION}
    entity = parse(*FEED_FIELDS, primaryKey=FEED_KEY, waybill=ours)
    assert entity.partition is not None
    assert entity.partition.owned_by("product") == ("variant",)
    assert entity.feed is not None
    assert entity.feed.kinds_cleared("product") == ("product", "variant")
    assert entity.feed.kinds_cleared("variants") == ("variant",)
    assert entity.feed.kinds_cleared("other") == ()
    assert entity.field("attributes").patched


@pytest.mark.parametrize(
    ("ours", "pointer", "reason"),
    [
        ({"partition": {"field": "attributes"}}, "/waybill/partition/field", "of the key"),
        (
            {"partition": {"field": "owner", "owners": {"a": "b"}}},
            "/waybill/partition/owners",
            "before the field",
        ),
        (
            {"partition": {"field": "kind", "owners": {"a": "b", "b": "c"}}},
            "/waybill/partition/owners",
            "owned themselves",
        ),
        ({"feed": FEED}, "/waybill/feed", "action column 'operation'"),
        (
            {"feed": {"elements": {"a": {}}}, "action": ACTION},
            "/waybill/feed/elements/a/key",
            "holds the key",
        ),
        (
            {"feed": {"elements": {"a": {"key": "k", "inside": "b"}}}, "action": ACTION},
            "/waybill/feed/elements/a/inside",
            "another element",
        ),
        (
            {"feed": {"elements": {}, "wrappers": {"as": "a"}}, "action": ACTION},
            "/waybill/feed/wrappers/as",
            "an element of the feed",
        ),
    ],
)
def test_a_wrong_feed_or_partition_is_refused_with_its_place(
    ours: dict[str, object], pointer: str, reason: str
) -> None:
    error = refusal(*FEED_FIELDS, primaryKey=FEED_KEY, waybill=ours)
    assert error.pointer == pointer
    assert reason in error.message


def test_a_feed_needs_its_fields_and_only_objects_are_patched() -> None:
    error = refusal({"name": "key"}, waybill={"feed": FEED, "action": ACTION})
    assert "needs a field 'owner'" in error.message
    error = refusal({"name": "a", "waybill": {"patched": True}})
    assert error.pointer == "/fields/0/waybill/patched"


def test_truth_in_constraints_becomes_a_word_of_the_field() -> None:
    words = {"trueValues": ["ja"], "falseValues": ["nein"], "constraints": {"enum": [True]}}
    field = parse({"name": "a", "type": "boolean", **words}).fields[0]
    assert field.constraints.enum == ("ja",)


def test_two_fields_of_one_name_are_refused() -> None:
    assert refusal({"name": "a"}, {"name": "a"}).pointer == "/fields/1/name"


def test_an_alias_means_one_field() -> None:
    error = refusal({"name": "a"}, {"name": "b", "waybill": {"aliases": ["a"]}})
    assert error.pointer == "/fields/1/waybill/aliases"


def test_a_default_must_be_a_value_of_the_field() -> None:
    error = refusal({"name": "a", "type": "date", "waybill": {"default": "today"}})
    assert error.pointer == "/fields/0/waybill/default"


@pytest.mark.parametrize("name", ["", "1a", "a b", "a" * 65, "../x"])
def test_names_of_entities_are_restricted(name: str) -> None:
    with pytest.raises(SchemaInvalid):
        parse_descriptor({"fields": [{"name": "a"}]}, name=name)


@pytest.mark.parametrize(
    ("field", "fields", "resource", "reason"),
    [
        ({}, ["x"], "", "must refer to another entity"),
        ({}, ["x"], "sample", "must refer to another entity"),
        ({}, ["x", "id"], "other", "must be the only field"),
        ({"itemType": "number"}, ["x"], "other", "must be of type string or integer"),
        ({"waybill": {"secret": True}}, ["x"], "other", "is kept as a hash"),
        ({"type": "array"}, ["x"], "other", "must be a list for its items to be found"),
    ],
)
def test_a_list_that_cannot_refer_to_anything_is_refused(
    field: dict[str, object], fields: list[str], resource: str, reason: str
) -> None:
    key = {"fields": fields, "reference": {"resource": resource, "fields": fields}}
    declared = [{"name": "x", "type": "list", **field}, {"name": "id"}]
    with pytest.raises(SchemaInvalid, match=reason) as refused:
        parse_descriptor({"fields": declared, "foreignKeys": [key]}, name="sample")
    assert refused.value.pointer == "/foreignKeys/0/fields"


@pytest.mark.parametrize("alias", ["/", "/stores", "/in/", "//stores", "/in//stores", "/in/a~2"])
def test_a_path_that_leads_nowhere_is_refused(alias: str) -> None:
    error = refusal({"name": "a", "waybill": {"aliases": [alias]}})
    assert error.pointer == "/fields/0/waybill/aliases"
    assert "must be a JSON Pointer of two or more names" in error.message


def test_a_secret_cannot_stand_inside_of_another_member() -> None:
    error = refusal({"name": "a", "waybill": {"aliases": ["/in/a"], "secret": True}})
    assert "so it can be no secret" in error.message


@pytest.mark.parametrize(
    ("field", "key", "reason"),
    [
        ({"waybill": {"ignoreCase": True}}, "ignoreCase", "does not apply"),
        ({"type": "date", "waybill": {"immutable": True}}, "immutable", "needs a string"),
        ({"waybill": {"secret": True, "immutable": True}}, "immutable", "needs a string"),
        ({"waybill": {"itemEnum": ["a"]}}, "itemEnum", "needs a list"),
        ({"type": "list", "waybill": {"itemEnum": []}}, "itemEnum", "at least one"),
        ({"type": "list", "waybill": {"itemEnum": ["a,b"]}}, "itemEnum", "is no item"),
        ({"waybill": {"generated": True}}, "generated", "alone is the 'primaryKey'"),
        ({"waybill": {"immutable": True, "x": 1}}, "x", ""),
    ],
)
def test_keys_that_say_nothing_of_a_field_are_refused(
    field: dict[str, object], key: str, reason: str
) -> None:
    declared = {"name": "a", "type": "string", **field}
    error = refusal({"name": "id", "type": "string"}, declared, primaryKey=["id"])
    assert error.pointer == f"/fields/1/waybill/{key}"
    assert reason in error.message


def test_what_stays_needs_a_key_to_be_known_by() -> None:
    error = refusal({"name": "a", "type": "string", "waybill": {"immutable": True}})
    assert error.pointer == "/fields/0/waybill/immutable"
    error = refusal(
        {"name": "a", "type": "string", "waybill": {"immutable": True}}, primaryKey=["a"]
    )
    assert error.pointer == "/fields/0/waybill/immutable"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a"], "two or more"),
        (["a", "a"], "holds a value twice"),
        (["a", "b"], "of one type"),
        (["c", "d"], "does not apply"),
        (["a", "e"], "no secrets"),
        (["f", "g"], "does not apply"),
        (["a", "z"], "no field 'z'"),
    ],
)
def test_values_that_cannot_be_put_in_order_are_refused(names: list[str], reason: str) -> None:
    types = {"a": "date", "b": "integer", "c": "string", "d": "string"}
    types |= dict.fromkeys("fg", "duration")
    fields = [{"name": name, "type": kind} for name, kind in types.items()]
    secret = {"name": "e", "type": "date", "waybill": {"secret": True}}
    error = refusal(*fields, secret, waybill={"ascending": [names]})
    assert "/waybill/ascending" in error.pointer
    assert reason in error.message


@pytest.mark.parametrize(
    ("choices", "pointer"),
    [
        ([{"resource": "other", "fields": "id"}], "0/resource"),
        ([{"resource": "sample", "fields": "id"}], "0/resource"),
        ([{"resource": "", "fields": "id"}], "0/resource"),
        ([{"resource": "x", "fields": ["a", "b"]}], "0/fields"),
        ([{"resource": "x", "fields": "a"}, {"resource": "x", "fields": "b"}], "1/resource"),
    ],
)
def test_a_reference_may_lead_to_further_entities_once(
    choices: list[dict[str, object]], pointer: str
) -> None:
    reference = {"resource": "other", "fields": "id"}
    key = {"fields": "id", "reference": reference, "waybill": {"or": choices}}
    error = refusal({"name": "id", "type": "string"}, foreignKeys=[key])
    assert error.pointer == f"/foreignKeys/0/waybill/or/{pointer}"
