"""
The supervisor: a functional core in an imperative shell.

Everything that happens to a service arrives as a frozen event: a signal, a
message or the end of a worker, the passing of time. ``policy.step`` changes
the state (``state.Service``) and returns commands: start a worker, send a
signal, log a line. It touches no process, no clock and no file, so each row
of the README's tables is a test that takes microseconds, and random
sequences of events can be checked against invariants.

``supervisor.Supervisor`` is the shell: it waits in ``inbox.Inbox``, turns
what it finds into events, and carries the commands out.

The supervisor runs neither an event loop nor plugins: whatever it had open
or running would be inherited by each worker, and whatever blocked it would
leave the service without a supervisor.
"""
