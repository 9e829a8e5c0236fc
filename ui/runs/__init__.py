"""The Evals tab's parts: recorded runs, a comparison of two, and each case with its answer as the chat shows one."""
