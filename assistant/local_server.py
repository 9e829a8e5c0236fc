"""Run as a program: serves one model file on loopback, in a process of its own that ends with the one that started it.

Reads a job as one line of JSON from standard input, prints `{"port"}` or `{"error"}` as one line, and ends when standard
input closes. A process of its own, because a model that crashes or is killed for its memory must not take the chat along.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

HOST = "127.0.0.1"


def parameters(job: dict[str, Any]) -> Any:
    """What the runtime is told: one reader at a time, a key on every call, no page, no other site, no other file."""
    import xllamacpp

    told = xllamacpp.CommonParams()
    told.model.path = job["model"]
    told.model_alias = {job["name"]}
    told.offline = True
    told.hostnames, told.port, told.api_keys = [HOST], 0, [job["key"]]
    told.ui = False
    told.endpoint_slots = told.endpoint_props = told.endpoint_metrics = False
    told.cors_origins, told.cors_origins_explicit, told.cors_credentials = f"http://{HOST}", True, False
    told.n_ctx, told.n_parallel, told.n_predict = job["context"], 1, job["most_tokens"]
    told.cpuparams.n_threads = told.cpuparams_batch.n_threads = job["threads"]
    # The instructions stay read from one question to the next; prompts that were given up are not kept (up to 8 GB else).
    told.cache_prompt, told.cache_ram_mib, told.n_ctx_checkpoints = True, 0, 0
    told.verbosity = 1
    return told


def main() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else threads that wait take a core each
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the runtime prints is its log
    try:
        import xllamacpp

        server = xllamacpp.Server(parameters(json.loads(sys.stdin.readline())))
        told: dict[str, Any] = {"port": int(str(server.listening_address).rpartition(":")[2].strip("/"))}
    except Exception as error:  # the runtime raises its own; the one who started this reads the line
        told = {"error": " ".join(str(error).split()) or type(error).__name__}
    try:
        print(json.dumps(told), file=out, flush=True)
        if "port" in told:
            sys.stdin.read()  # returns when the process that started this one is gone, however it went
    finally:  # also when it was gone before the model was loaded
        os._exit(0)  # the runtime's threads are not waited for


if __name__ == "__main__":
    main()
