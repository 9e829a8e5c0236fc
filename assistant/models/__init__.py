"""Model files shipped with Ibid; MODEL_CARD.md says what each is and how it was made."""
