from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waybill.model.limits import Limits
from waybill.ports.reader import Header
from waybill.testing.raw_chunks import raw_chunk
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.rejects import iterate_rejections
from waybill.validation.sandbox import Sandbox, open_sandbox

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return open_sandbox(
        memory_bytes=200 << 20, threads=1, temp_directory=tmp_path_factory.mktemp("spill")
    )


class Field:
    """One field of one type, and what becomes of its cells."""

    _checkers: dict[str, Checker] = {}  # noqa: RUF012 - one per descriptor, for speed

    def __init__(self, sandbox: Sandbox, **descriptor: object) -> None:
        key = repr(sorted(descriptor.items()))
        if key not in self._checkers:
            raw = {"fields": [{"name": "v", **descriptor}]}
            self._checkers[key] = Checker(
                parse_descriptor(raw, name="sample"),
                Header(names=("v",)),
                CheckOptions(),
                limits=Limits(),
                sandbox=sandbox,
                pepper="pepper",
            )
        self._checker = self._checkers[key]

    def read(self, *cells: str | None) -> list[object]:
        """Each cell's typed value, or the set of codes of its findings."""
        checked = self._checker.check(raw_chunk([[cell] for cell in cells]))
        good = zip(
            checked.good.column("_record").to_pylist(),
            checked.good.column("v").to_pylist(),
            strict=True,
        )
        result: dict[int, object] = dict(good)
        for rejection in iterate_rejections([checked.rejects]):
            result[rejection.record] = {finding.code for finding in rejection.findings}
        assert len(result) == len(cells)
        return [result[number] for number in sorted(result)]


MISMATCH = {"TYPE_MISMATCH"}
OUT_OF_RANGE = {"NUMBER_OUT_OF_RANGE"}
NO_DATE = {"DATE_INVALID"}

number_like = st.text(alphabet="0123456789+-.eE_, xnaif\u0661\u00a0", min_size=1, max_size=12)
any_text = st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text)


@given(st.lists(st.one_of(number_like, st.integers().map(str), any_text), min_size=1, max_size=30))
@QUICK
def test_an_integer_is_what_the_grammar_says(sandbox: Sandbox, cells: list[str]) -> None:
    def oracle(cell: str) -> object:
        if not re.fullmatch("-?[0-9]+", cell):
            return MISMATCH
        value = int(cell)
        fits = -(2**63) <= value < 2**63 and len(cell.lstrip("-")) <= 38
        return value if fits else OUT_OF_RANGE

    assert Field(sandbox, type="integer").read(*cells) == [oracle(cell) for cell in cells]


@given(
    st.lists(
        st.one_of(
            number_like,
            st.floats(allow_nan=False, allow_infinity=False).map(repr),
            st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
            any_text,
        ),
        min_size=1,
        max_size=30,
    )
)
@QUICK
def test_a_number_is_what_the_grammar_says(sandbox: Sandbox, cells: list[str]) -> None:
    def oracle(cell: str) -> object:
        if re.fullmatch("(?i:nan|-?inf)", cell):
            return float(cell)
        form = re.fullmatch(r"[+-]?([0-9]+)(?:\.([0-9]+))?(?:[eE][+-]?([0-9]+))?", cell)
        if not form:
            return MISMATCH
        if max(len(form[1]), len(form[2] or "")) > 38 or len(form[3] or "") > 3:
            return OUT_OF_RANGE
        value = float(Decimal(cell))
        return OUT_OF_RANGE if math.isinf(value) else value

    def same(one: object, other: object) -> bool:
        if isinstance(one, float) and math.isnan(one):
            return isinstance(other, float) and math.isnan(other)
        return one == other

    found = Field(sandbox, type="number").read(*cells)
    wanted = [oracle(cell) for cell in cells]
    assert all(map(same, found, wanted)), list(zip(cells, found, wanted, strict=True))


date_like = st.text(alphabet="0123456789-/ ", min_size=8, max_size=11)


@given(st.lists(st.one_of(date_like, st.dates().map(str), any_text), min_size=1, max_size=30))
@QUICK
def test_a_date_is_a_day_of_the_calendar(sandbox: Sandbox, cells: list[str]) -> None:
    def oracle(cell: str) -> object:
        try:
            form = re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", cell)
            return dt.date.fromisoformat(cell).isoformat() if form else NO_DATE
        except ValueError:
            return NO_DATE

    assert Field(sandbox, type="date").read(*cells) == [oracle(cell) for cell in cells]


offsets = st.integers(-14 * 60, 14 * 60).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)
moments = st.datetimes(
    min_value=dt.datetime(2, 1, 1),  # noqa: DTZ001 - naive on purpose
    max_value=dt.datetime(9998, 12, 31),  # noqa: DTZ001 - naive on purpose
    timezones=st.one_of(st.none(), offsets),
)


@given(st.lists(moments, min_size=1, max_size=30))
@QUICK
def test_a_datetime_with_an_offset_becomes_utc(sandbox: Sandbox, values: list[dt.datetime]) -> None:
    def canonical(value: dt.datetime) -> str:
        moved = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
        text = moved.isoformat()
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text + ("Z" if value.tzinfo else "")

    cells = [value.isoformat() for value in values]
    wanted = [canonical(value) for value in values]
    assert Field(sandbox, type="datetime").read(*cells) == wanted


@pytest.mark.parametrize(
    "cell",
    ["१२३", "١٢٣", "1_000", " inf ", "0x10", "0b11", "+5", "1.5", "1e5", ".5", "5.", "\u00a07"],
)
def test_text_outside_the_integer_grammar_is_no_integer(sandbox: Sandbox, cell: str) -> None:
    assert Field(sandbox, type="integer").read(cell) == [MISMATCH]


@pytest.mark.parametrize("cell", ["१२३", "1_000", " inf ", "0x10", ".5", "5.", "\u00a07", "1,5"])
def test_text_outside_the_number_grammar_is_no_number(sandbox: Sandbox, cell: str) -> None:
    assert Field(sandbox, type="number").read(cell) == [MISMATCH]


def test_minus_zero_is_zero(sandbox: Sandbox) -> None:
    assert Field(sandbox, type="integer").read("-0", "007") == [0, 7]


def test_digits_and_exponents_are_bounded_on_the_text(sandbox: Sandbox) -> None:
    assert Field(sandbox, type="integer").read("9" * 5000, "9" * 20) == [OUT_OF_RANGE] * 2
    cells = ("1e1000000", "0." + "1" * 100_000, "1e309", "9" * 39)
    assert Field(sandbox, type="number").read(*cells) == [OUT_OF_RANGE] * 4
    assert Field(sandbox, type="integer").read("1e1000000") == [MISMATCH]


def test_an_integer_with_a_bound_beyond_64_bits_is_kept_as_text(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="integer", constraints={"maximum": 10**30})
    cells = ("00123", str(10**29), str(10**30 + 1), "1" * 39)
    assert field.read(*cells) == ["123", str(10**29), {"MAXIMUM"}, OUT_OF_RANGE]


@pytest.mark.parametrize(
    "cell",
    ["0000-00-00", "10000-01-01", "epoch", "infinity", "44-03-15 (BC)", "2024-02-30", "2024-1-1"],
)
def test_what_is_no_iso_date_is_refused(sandbox: Sandbox, cell: str) -> None:
    assert Field(sandbox, type="date").read(cell) == [NO_DATE]


def test_leap_seconds_and_hour_24_are_no_times(sandbox: Sandbox) -> None:
    cells = ("23:59:60", "24:00:00", "23:59:59", "7:00:00")
    assert Field(sandbox, type="time").read(*cells) == [NO_DATE, NO_DATE, "23:59:59", NO_DATE]


def test_datetimes_out_of_the_calendar_are_refused(sandbox: Sandbox) -> None:
    cells = (
        "2024-01-01T23:59:60",
        "2024-01-01T24:00:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:30:00-01:00",
        "2024-01-01T10:00:00+15:00",
        "2024-01-01 10:00:00",
    )
    assert Field(sandbox, type="datetime").read(*cells) == [NO_DATE] * len(cells)


def test_a_date_pattern_is_read_into_iso(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="date", format="%d/%m/%Y")
    assert field.read("31/12/2024", "2024-12-31", "31/02/2024") == ["2024-12-31", NO_DATE, NO_DATE]


def test_a_time_pattern_keeps_fractions(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="time", format="%H:%M:%S.%f")
    assert field.read("10:20:30.5", "x") == ["10:20:30.500000", NO_DATE]


def test_the_format_any_takes_only_forms_that_read_one_way(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="date", format="any")
    cells = ("2024/1/5", "20240105", "5.1.2024", "5 Jan 2024", "01/02/2024")
    assert field.read(*cells) == ["2024-01-05"] * 4 + [NO_DATE]


def test_group_and_decimal_characters_are_taken_as_declared(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="number", decimalChar=",", groupChar=".")
    cells = ("1.234,5", "1234,5", "12.34,5", "1,234.5", "12.34.567")
    assert field.read(*cells) == [1234.5, 1234.5, MISMATCH, MISMATCH, 1234567.0]


def test_a_number_may_be_dressed_when_it_need_not_be_bare(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="number", bareNumber=False)
    cells = ("€95", "95%", "EUR -9.50", "-€5", "95", "five", "9 5")
    assert field.read(*cells) == [95.0, 95.0, -9.5, -5.0, 95.0, MISMATCH, MISMATCH]


def test_booleans_are_the_declared_words(sandbox: Sandbox) -> None:
    assert Field(sandbox, type="boolean").read("TRUE", "0", "yes") == [True, False, MISMATCH]
    field = Field(sandbox, type="boolean", trueValues=["ja"], falseValues=["nein"])
    assert field.read("ja", "nein", "true") == [True, False, MISMATCH]


def test_times_and_datetimes_have_an_any_format_too(sandbox: Sandbox) -> None:
    assert Field(sandbox, type="time", format="any").read("7:5", "07:05") == [NO_DATE, "07:05:00"]
    field = Field(sandbox, type="datetime", format="any")
    assert field.read("2024-01-01 10:00:00", "10:00") == ["2024-01-01T10:00:00", NO_DATE]
    field = Field(sandbox, type="datetime", format="%d.%m.%Y %H:%M")
    assert field.read("1.2.2024 9:05", "2024") == ["2024-02-01T09:05:00", NO_DATE]


def test_topojson_is_a_format_of_its_own(sandbox: Sandbox) -> None:
    good = '{"type":"Topology","objects":{},"arcs":[]}'
    field = Field(sandbox, type="geojson", format="topojson")
    assert field.read(good, '{"type":"Point","coordinates":[1,2]}') == [good, MISMATCH]


def test_categories_bind_like_an_enum(sandbox: Sandbox) -> None:
    categories = [{"value": 1, "label": "low"}, {"value": 2}]
    field = Field(sandbox, type="integer", categories=categories)
    assert field.read("01", "3") == [1, {"ENUM"}]


def test_years_and_months_and_durations(sandbox: Sandbox) -> None:
    assert Field(sandbox, type="year").read("2024", "0044", "24") == [2024, 44, MISMATCH]
    assert Field(sandbox, type="yearmonth").read("2024-12", "2024-13") == ["2024-12", NO_DATE]
    cells = ("P1Y2M3DT4H5M6.5S", "P", "PT", "1D", "P3W")
    assert Field(sandbox, type="duration").read(*cells) == [
        "P1Y2M3DT4H5M6.5S",
        MISMATCH,
        MISMATCH,
        MISMATCH,
        "P3W",
    ]


def test_durations_are_compared_by_their_length(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="duration", constraints={"minimum": "P1D", "maximum": "P1M"})
    assert field.read("PT24H", "PT23H59M", "P31D") == ["PT24H", {"MINIMUM"}, {"MAXIMUM"}]


def test_points_lie_on_the_globe(sandbox: Sandbox) -> None:
    cells = ("90.50, 45.50", "90.50,45.50", "181, 0", "0, 91", "x")
    assert Field(sandbox, type="geopoint").read(*cells) == [*cells[:2], *[MISMATCH] * 3]
    field = Field(sandbox, type="geopoint", format="object")
    good = '{"lat": 45, "lon": 170}'
    assert field.read(good, '{"lat": 170, "lon": 45}') == [good, MISMATCH]
    assert Field(sandbox, type="geopoint", format="array").read("[1,2]", "[1]") == [
        "[1,2]",
        MISMATCH,
    ]


def test_what_belongs_to_a_number_is_not_taken_for_what_stands_around_it(
    sandbox: Sandbox,
) -> None:
    field = Field(sandbox, type="number", bareNumber=False, decimalChar=",", groupChar=".")
    cells = (",5", "-,5", "..5", "(5)", "5-", "\u22125", "-EUR ,5", "+-5")
    assert field.read(*cells) == [MISMATCH] * len(cells)
    assert field.read("1.234,5 EUR", "Rs. 5", "-5 %", "$ -5", "INF")[:4] == [1234.5, 5, -5, -5]
    assert field.read("INF") == [float("inf")]
    whole = Field(sandbox, type="integer", bareNumber=False)
    assert whole.read(".5", "-.5", "\u22125", "5 kg.") == [MISMATCH, MISMATCH, MISMATCH, 5]


def test_json_cells_are_whole_objects_or_arrays(sandbox: Sandbox) -> None:
    cells = ('{"a": 1}', "[1]", "{", "null", "x")
    assert Field(sandbox, type="object").read(*cells) == [cells[0], *[MISMATCH] * 4]
    assert Field(sandbox, type="array").read(*cells) == [MISMATCH, "[1]", *[MISMATCH] * 3]


def test_json_that_is_too_deep_or_holds_nan_is_refused(sandbox: Sandbox) -> None:
    wide, deep = "[" + "[]," * 99 + "[]]", "[" * 65 + "]" * 65
    cells = (wide, deep, "[NaN]", '["NaN"]', "[" * 64 + "]" * 64)
    wanted = [wide, {"JSON_SCHEMA"}, {"JSON_SCHEMA"}, '["NaN"]', cells[4]]
    assert Field(sandbox, type="array").read(*cells) == wanted


def test_lax_json_is_refused(sandbox: Sandbox) -> None:
    cells = ('{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 2}}', '{"a": 1e999}', '{"a": 1,}', "[1e3]")
    objects = Field(sandbox, type="object").read(*cells[:4], '{"a": ",}", "b": "1e999"}')
    assert objects == [{"JSON_SCHEMA"}] * 3 + [MISMATCH] + ['{"a": ",}", "b": "1e999"}']
    arrays = Field(sandbox, type="array").read("[1, ]", "[1e3]", "[-1e999]", "[" + "9" * 401 + "]")
    assert arrays == [MISMATCH, "[1e3]", {"JSON_SCHEMA"}, {"JSON_SCHEMA"}]


def test_json_of_a_hundred_thousand_levels_harms_nobody(sandbox: Sandbox) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    found = Field(sandbox, type="array").read(deep, "[" * 100_000, "[]")
    assert found == [{"JSON_SCHEMA"}, {"JSON_SCHEMA"}, "[]"]


def test_text_that_is_no_json_at_all_is_told_so(sandbox: Sandbox) -> None:
    assert Field(sandbox, type="object").read("Nancy", "nan", "x" * 9) == [MISMATCH] * 3
    rules = {"jsonSchema": {"type": "array"}}
    assert Field(sandbox, type="array", constraints=rules).read("[1,", "7") == [MISMATCH] * 2


def test_the_size_of_json_is_limited_without_tripping_over_broken_json(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="array", constraints={"minLength": 1, "maxLength": 2})
    found = field.read("[1]", "[]", "[1,2,3]", "[", "{}")
    assert found == ["[1]", {"MIN_LENGTH"}, {"MAX_LENGTH"}, MISMATCH, MISMATCH]
    field = Field(sandbox, type="object", constraints={"enum": [{"a": 1}]})
    assert field.read('{ "a" : 1 }', "{}", "{") == ['{ "a" : 1 }', {"ENUM"}, MISMATCH]


def test_a_json_schema_is_applied(sandbox: Sandbox) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    field = Field(sandbox, type="object", constraints={"jsonSchema": schema})
    assert field.read('{"n":1}', '{"n":"x"}', None) == ['{"n":1}', {"JSON_SCHEMA"}, None]


def test_geojson_has_the_members_of_its_type(sandbox: Sandbox) -> None:
    point = '{"type":"Point","coordinates":[1,2]}'
    cells = (point, '{"type":"Point"}', '{"type":"Nothing"}', "[]")
    assert Field(sandbox, type="geojson").read(*cells) == [point, *[MISMATCH] * 3]


def test_list_items_follow_their_own_grammar(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="list", itemType="date", delimiter=";")
    good = "2024-01-01;2024-02-29"
    assert field.read(good, "2024-01-01;2023-02-29", "2024-01-01,x") == [good, MISMATCH, MISMATCH]
    assert Field(sandbox, type="list", itemType="integer").read("1,2", "1,x") == ["1,2", MISMATCH]


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("email", "ann@example.com", "ann@"),
        ("uri", "https://example.com/a?b=c", "example"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("binary", "YWJj", "YWJ"),
    ],
)
def test_string_formats(sandbox: Sandbox, form: str, good: str, bad: str) -> None:
    assert Field(sandbox, type="string", format=form).read(good, bad) == [good, MISMATCH]


def test_bounds_compare_values_not_texts(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="integer", constraints={"minimum": "9", "exclusiveMaximum": 100})
    assert field.read("10", "8", "100", "99") == [10, {"MINIMUM"}, {"EXCLUSIVE_MAXIMUM"}, 99]
    field = Field(sandbox, type="datetime", constraints={"minimum": "2024-01-01T00:00:00Z"})
    cells = ("2024-01-01T01:00:00+02:00", "2024-01-01T00:00:00.5Z")
    assert field.read(*cells) == [{"MINIMUM"}, "2024-01-01T00:00:00.5Z"]


def test_enum_members_are_compared_as_values(sandbox: Sandbox) -> None:
    assert Field(sandbox, type="number", constraints={"enum": [1, "2.50"]}).read(
        "1.0", "2.5", "3"
    ) == [1.0, 2.5, {"ENUM"}]


def test_a_pattern_runs_in_linear_time(sandbox: Sandbox) -> None:
    field = Field(sandbox, type="string", constraints={"pattern": "^(a+)+$"})
    assert field.read("a" * 26 + "!", "a" * 200_000) == [{"PATTERN"}, "a" * 200_000]


@pytest.mark.parametrize(
    ("descriptor", "column"),
    [
        ({"type": "integer"}, pa.int64()),
        ({"type": "number"}, pa.float64()),
        ({"type": "boolean"}, pa.bool_()),
        ({"type": "year"}, pa.int64()),
        ({"type": "date"}, pa.string()),
        ({"type": "string"}, pa.string()),
    ],
)
def test_columns_have_one_arrow_type(
    sandbox: Sandbox, descriptor: dict[str, object], column: pa.DataType
) -> None:
    field = Field(sandbox, **descriptor)
    checked = field._checker.check(raw_chunk([[None]]))
    assert checked.good.schema.field("v").type == column
