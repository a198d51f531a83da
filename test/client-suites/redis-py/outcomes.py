"""A plugin of pytest: writes how each test ended, one JSON object a line, to the file OUTCOMES."""

import json
import os


def pytest_runtest_logreport(report):
    if report.when != "call" and report.outcome == "passed":
        return
    if report.outcome == "skipped":
        reason = str(report.longrepr[-1]) if isinstance(report.longrepr, tuple) else ""
    else:
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = crash.message if crash else str(report.longrepr or "")
    outcome = {"test": report.nodeid, "outcome": report.outcome, "reason": reason[:500]}
    with open(os.environ["OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(outcome) + "\n")
