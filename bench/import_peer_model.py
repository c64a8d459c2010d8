"""The model and the resource of ``import_peer.py``; imported once Django is set up."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import connection, models
from import_export import resources
from import_export.instance_loaders import CachedInstanceLoader
from import_peer import BATCH_ROWS


def choices(*values: str) -> list[tuple[str, str]]:
    """The values as Django takes choices."""
    return [(value, value) for value in values]


class Order(models.Model):
    """One order, with the rules of ``orders.json``."""

    order_id = models.CharField(
        primary_key=True, max_length=14, validators=[RegexValidator(r"^ORD-[0-9]{10}\Z")]
    )
    customer = models.CharField(max_length=60)
    email = models.CharField(max_length=80, blank=True)
    sku = models.CharField(
        max_length=12, validators=[RegexValidator(r"^[A-Z]{3}-[0-9]{5}-[A-Z]{2}\Z")]
    )
    quantity = models.IntegerField(validators=[MinValueValidator(1), MaxValueValidator(999)])
    unit_price = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0)])
    currency = models.CharField(
        max_length=3, blank=True, choices=choices("EUR", "USD", "GBP", "SEK", "JPY")
    )
    status = models.CharField(
        max_length=8, blank=True, choices=choices("new", "paid", "packed", "shipped", "returned")
    )
    ordered_on = models.DateField()
    country = models.CharField(
        max_length=2, blank=True, validators=[RegexValidator(r"^[A-Z]{2}\Z")]
    )
    gift = models.BooleanField(null=True, blank=True)
    note = models.CharField(max_length=120, blank=True)

    class Meta:  # noqa: D106 - Django's own idiom
        app_label = "import_export"

    def __str__(self) -> str:
        return self.order_id


class OrderResource(resources.ModelResource):
    """How orders are imported: in bulk, each row cleaned by its model."""

    class Meta:  # noqa: D106 - the library's own idiom
        model = Order
        instance_loader_class = CachedInstanceLoader
        import_id_fields: ClassVar = ["order_id"]
        clean_model_instances = True
        use_bulk = True
        batch_size = BATCH_ROWS
        skip_unchanged = True
        report_skipped = False
        skip_diff = True
        store_row_values = False


def create_table() -> None:
    """Make the table of orders."""
    with connection.schema_editor() as editor:
        editor.create_model(Order)
