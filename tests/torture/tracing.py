"""Commands under strace: which calls they make, and what happens when one of them does not go as usual."""

import re
import subprocess
import tempfile

import judge

# What is not worth failing: the kernel does not fail them so, or nobody could look at the result.
SPARED = {"execve", "exit_group", "arch_prctl", "rt_sigreturn", "set_tid_address", "set_robust_list", "rseq"}


def works():
    """None, or why strace cannot be used here."""
    try:
        result = subprocess.run(["strace", "-f", "-e", "inject=getpid:error=EIO", "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return "no strace here"
    return None if result.returncode == 0 else f"strace cannot trace here: {result.stderr.decode()[:200]}"


def calls(command, data):
    """The names of all system calls of a command, in order."""
    with tempfile.NamedTemporaryFile() as log:
        judge.run(["strace", "-qq", "-o", log.name, *command], data)
        return re.findall(rb"^(\w+)\(", log.read(), re.MULTILINE)


def positions(command, data):
    """(call, n) for each system call of a command that is worth failing: the n-th of this name."""
    counts, found = {}, []
    for call in calls(command, data):
        call = call.decode()
        counts[call] = counts.get(call, 0) + 1
        if call not in SPARED:
            found.append((call, counts[call]))
    return found


def inject(command, call, what, data=b"", **options):
    """Runs a command with `what` (error=EIO:when=3, say) done to a call."""
    return judge.run(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{what}", *command],
                     data, **options)
