"""``python -m waybill``: the same as the ``waybill`` command."""

from waybill.cli.main import run

if __name__ == "__main__":
    run()
