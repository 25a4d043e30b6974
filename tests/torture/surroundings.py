#!/usr/bin/env python3
"""R11: the cases of tests/surroundings*.bats."""

import judge
import tap


def main():
    item = judge.Item("hostile surroundings: descriptors, pipes, locales, limits, clocks")
    for name in ("surroundings", "surroundings-descriptors"):
        tap.cases(item, name)
    item.finish()


if __name__ == "__main__":
    main()
