"""Count the products of a feed with lxml and nothing else. Usage: FILE."""

from __future__ import annotations

import sys

from lxml import etree


def main(file: str) -> None:
    """Print how many there are."""
    count = 0
    for _, element in etree.iterparse(file, events=("end",), tag="product"):
        count += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    print(count)


if __name__ == "__main__":
    main(sys.argv[1])
