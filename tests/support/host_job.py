"""One script that an editor runs from its start to its end, without a window."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from host_root import CHECKOUT_INSIDE, HostFailed
from host_stay import Stay

SUPPORT_INSIDE = f"{CHECKOUT_INSIDE}/tests/support"
LOG = "job.log"

Run = Callable[[str], subprocess.CompletedProcess[bytes]]


def run_job(stay: Stay, script: str, given: dict[str, Any], run: Run) -> Any:
    """What the script calls `answer` with; it finds in `given` what was given.

    `run` is told where the job is, and has the editor run it. Everything that is printed goes to
    the log, and into the HostFailed if that is raised.
    """
    job, said = stay.files / "job.json", stay.files / "job.json.said"
    said.unlink(missing_ok=True)
    job.write_text(json.dumps({"script": script, "given": given}))
    done = run(stay.inside(job))
    output = (done.stdout + done.stderr).decode(errors="replace")
    (stay.folder / LOG).write_text(output)
    heard = json.loads(said.read_bytes()) if said.exists() else {"error": "It did not answer."}
    if "error" in heard or done.returncode:
        raise HostFailed(f"{heard.get('error', '')}\nexit code {done.returncode}\n{output}")
    return heard["answer"]
