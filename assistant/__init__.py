"""Ibid answers questions from a library of paper abstracts; every sentence points at the characters it rests on."""
