#!/usr/bin/env python3
"""R1: every system call of every command fails in turn, with each of the errors that the table names; what a writer
looks for is not there for a moment.

Nothing acknowledged is missing, no old byte changes, no exit 0 with work undone, no hang.
"""

import judge
import scenarios
import tracing

ERRORS = ["EIO", "ENOSPC", "EDQUOT", "EINTR", "ENOMEM", "EMFILE", "EACCES", "EROFS"]
LOOKS = {"openat2", "newfstatat", "getdents64"}  # where what was there a moment ago may not be found, by a writer too
QUICK = 45  # trials of a quick run


def cases(item):
    """(scenario, call, n, error): each position, the errors one after the other; all of them in the end, in a long run."""
    for scenario in scenarios.SCENARIOS:
        scenario.learn(judge.pathlib.Path(judge.tempfile.mkdtemp(dir=item.kept)))
    found = []
    for scenario in scenarios.SCENARIOS:
        workspace = judge.pathlib.Path(judge.tempfile.mkdtemp(dir=item.kept))
        scenario.set_up(workspace)
        for place, (call, n) in enumerate(tracing.positions(scenario.argv(workspace), scenario.data)):
            found += [(scenario, call, n, ERRORS[(place + turn) % len(ERRORS)]) for turn in range(2)]
            if scenario.stored and call in LOOKS:
                found.append((scenario, call, n, "ENOENT"))
    return found[::max(1, len(found) // QUICK)] if item.quick else found


def fail(workspace, case):
    scenario, call, n, error = case
    found = scenario.set_up(workspace)
    result = tracing.inject(scenario.argv(workspace), call, f"error={error}:when={n}", scenario.data)
    scenario.assess(found, result)


def main():
    item = judge.Item("every system call of every command failed in turn")
    why = tracing.works()
    if why:
        item.skip(why)
    else:
        item.trials(fail, [case for case in cases(item)])
    item.finish(f" ({len(scenarios.SCENARIOS)} scenarios, {len(ERRORS) + 1} errors)")


if __name__ == "__main__":
    main()
