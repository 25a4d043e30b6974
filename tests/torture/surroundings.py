#!/usr/bin/env python3
"""R11: the cases of tests/surroundings.bats."""

import judge
import tap


def main():
    item = judge.Item("hostile surroundings: descriptors, pipes, locales, limits, clocks")
    tap.cases(item, "surroundings")
    item.finish()


if __name__ == "__main__":
    main()
