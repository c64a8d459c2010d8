"""The ``waybill`` command, and ``python -m waybill``."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; loading it takes a moment, in which Ctrl-C may come already."""
    try:
        from waybill.cli.main import run  # noqa: PLC0415 - so that the interrupt is caught
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
