"""Checks of a claim against the sentences that it cites: what code can notice, each as a finding in words.

`words` cuts text, `numbers`, `partners`, `entities`, `polarity`, `direction` and `strength` notice one kind of fault each,
`meaning` compares words by the embedding model, `features` puts all of it in numbers and `calibration` turns those into
probabilities. `assistant.verification.verify` is the front door.
"""
