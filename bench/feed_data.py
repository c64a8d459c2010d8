"""A product feed of the benchmark: everything cleared, then added anew. Usage: FILE PRODUCTS.

Fifteen fields a product, as a shop of clothes has them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

COLOURS: Final = ("red", "green", "blue", "black", "white", "beige", "navy", "olive")
HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<operations>
  <clear>
    <category_tree/>
    <product/>
  </clear>
  <add>
"""
TAIL: Final = """  </add>
</operations>
"""


def main(target: str, count: str) -> None:
    """Write that many products."""
    with Path(target).open("w", encoding="utf-8") as file:
        file.write(HEAD)
        file.writelines(product(number) for number in range(int(count)))
        file.write(TAIL)


def product(number: int) -> str:
    """One product."""
    colour = COLOURS[number % len(COLOURS)]
    return f"""    <product>
      <product_key>P{number:07d}</product_key>
      <locale>en-GB</locale>
      <title>The {colour} jumper number {number} &amp; its scarf</title>
      <category>Knitwear</category>
      <brand>Brand {number % 500}</brand>
      <color>{colour}</color>
      <size>XL</size>
      <price>{number % 1000}.99</price>
      <stock>{number % 77}</stock>
      <ean>73{number:011d}</ean>
      <description>A warm jumper in {colour} for cold evenings, by hand, no. {number}</description>
      <image_url>https://images.example.com/p/{number}.jpg</image_url>
      <product_url>https://shop.example.com/p/{number}</product_url>
      <season>2026</season>
      <material>wool</material>
    </product>
"""


if __name__ == "__main__":
    main(*sys.argv[1:])
