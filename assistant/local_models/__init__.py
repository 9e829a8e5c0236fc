"""Chat models that run on this machine: which are known, where their files are, how one is got, run and talked to."""
