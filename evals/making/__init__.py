"""Making a set of cases from one's own papers: draft, screen, review, and see what is covered."""

from evals.making.coverage import Coverage, cover
from evals.making.drafting import draft
from evals.making.review import review
from evals.making.screening import Dropped, screen

__all__ = ["Coverage", "Dropped", "cover", "draft", "review", "screen"]
