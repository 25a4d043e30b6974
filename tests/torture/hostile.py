#!/usr/bin/env python3
"""R12: the cases of tests/hostile.bats."""

import judge
import tap


def main():
    item = judge.Item("hostile files: links, FIFOs, devices, names, escapes")
    tap.cases(item, "hostile")
    item.finish()


if __name__ == "__main__":
    main()
